use serde::{Deserialize, Serialize};

/// How a leg or a call ended: who, why, and the codes that crossed the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whose act ended it.
    pub by: Side,
    /// Why, as a stable code.
    pub cause: Cause,
    /// The SIP status received or sent, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip: Option<u16>,
    /// The Q.850 cause received or sent (RFC 3326), if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q850: Option<u8>,
    /// Where in the flow it happened: a script's node, a queue, an agent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Evidence in the machine's words: addresses, headers, counters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl End {
    /// An end without codes or place.
    pub fn new(by: Side, cause: Cause) -> End {
        End { by, cause, sip: None, q850: None, place: String::new(), detail: String::new() }
    }

    /// The same, with the SIP status.
    pub fn sip(mut self, status: u16) -> End {
        self.sip = Some(status);
        self
    }

    /// The same, with the Q.850 cause.
    pub fn q850(mut self, cause: Option<u8>) -> End {
        self.q850 = cause;
        self
    }

    /// The same, at this place.
    pub fn place(mut self, place: impl Into<String>) -> End {
        self.place = place.into();
        self
    }

    /// The same, with evidence.
    pub fn detail(mut self, detail: impl Into<String>) -> End {
        self.detail = detail.into();
        self
    }
}

/// Whose act ended something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The person who called.
    Caller,
    /// The agent, or the outside party.
    Callee,
    /// The script or a rule of the desk.
    Service,
    /// The network between.
    Network,
    /// Cornetta itself.
    Engine,
}

/// Why something ended. Codes are stable; sentences may improve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A party hung up.
    HungUp,
    /// The caller gave up before an answer.
    Cancelled,
    /// The script ended the call with its own reason, in `place`.
    ScriptEnded,
    /// The party was busy.
    Busy,
    /// The party refused.
    Declined,
    /// The party did not answer in time.
    NoAnswer,
    /// The number or user does not exist here.
    NotFound,
    /// Nothing that both sides can speak was offered.
    NoCommonMedia,
    /// The keys of the media could not be agreed (DTLS-SRTP): `detail` says why.
    NotSecured,
    /// The offer could not be read.
    BadMedia,
    /// Our answer was never acknowledged: the peer's ACK does not arrive.
    NotAcknowledged,
    /// A request of ours was never answered.
    PeerTimeout,
    /// The session was not refreshed in the time that both sides had agreed on.
    SessionExpired,
    /// The peer cannot be reached.
    Unreachable,
    /// The peer refused with the status in `sip`.
    Refused,
    /// The INVITE could not be read, or asked for what cannot be done here: `detail` says what.
    Inadmissible,
    /// The call came back to where it had been sent from (482), or went through too many exchanges (483).
    Looped,
    /// A limit of the installation was reached.
    Capacity,
    /// The system was shutting down.
    ShuttingDown,
    /// The process ended in mid-call; the log was closed for it at the next start.
    EngineRestarted,
    /// Another agent took the call.
    TakenElsewhere,
    /// The other party of the call left.
    OtherSideLeft,
    /// The transfer's target could not be reached.
    TransferFailed,
    /// The party handed the call to another one.
    Transferred,
    /// The operator has connected the party with another one without us, as we asked by REFER.
    TransferredOutwards,
    /// A call outside took the longest time that its `[[outbound]]` rule allows.
    TooLong,
    /// A call outside reached its `[[outbound]]` rule's ceiling of spending while it went on.
    SpendingCeiling,
    /// The queue in which a callback waited is not in the configuration any more.
    QueueRemoved,
}

impl Cause {
    /// What happened, for a help-desk manager, in Italian.
    pub fn sentence_it(self) -> &'static str {
        match self {
            Cause::HungUp => "ha riagganciato",
            Cause::Cancelled => "ha rinunciato prima della risposta",
            Cause::ScriptEnded => "il percorso vocale ha chiuso la chiamata come previsto",
            Cause::Busy => "l'interlocutore era occupato",
            Cause::Declined => "l'interlocutore ha rifiutato la chiamata",
            Cause::NoAnswer => "nessuno ha risposto entro il tempo previsto",
            Cause::NotFound => "il numero composto non esiste in questo impianto",
            Cause::NoCommonMedia => "i due apparati non hanno un formato audio in comune",
            Cause::NotSecured => {
                "l'audio non si è potuto cifrare: l'intesa con l'altro apparato non è riuscita"
            }
            Cause::BadMedia => "la descrizione audio ricevuta non è leggibile",
            Cause::NotAcknowledged => {
                "la nostra risposta non è mai stata confermata: i messaggi dell'altro apparato non ci raggiungono"
            }
            Cause::PeerTimeout => "l'altro apparato non ha risposto ai nostri messaggi",
            Cause::SessionExpired => "la sessione è scaduta: l'altro apparato non dava più segni di vita",
            Cause::Unreachable => "l'altro apparato non è raggiungibile",
            Cause::Refused => "l'altro apparato ha respinto la richiesta",
            Cause::Inadmissible => {
                "la richiesta di chiamata non era leggibile, o chiedeva qualcosa che qui non si può fare"
            }
            Cause::Looped => "la chiamata girava in tondo: inoltrata altrove, tornava qui",
            Cause::Capacity => "l'impianto aveva raggiunto un suo limite",
            Cause::ShuttingDown => "l'impianto era in spegnimento",
            Cause::EngineRestarted => "il programma si è interrotto durante la chiamata ed è stato riavviato",
            Cause::TakenElsewhere => "un altro operatore ha preso la chiamata",
            Cause::OtherSideLeft => "l'altra parte ha lasciato la chiamata",
            Cause::TransferFailed => "la destinazione del trasferimento non ha risposto",
            Cause::Transferred => "la chiamata è stata passata a un altro interlocutore",
            Cause::TransferredOutwards => {
                "la chiamata è stata trasferita all'esterno: la porta avanti l'operatore telefonico"
            }
            Cause::QueueRemoved => "la coda in cui attendeva è stata tolta dalla configurazione",
            Cause::TooLong => "la chiamata verso l'esterno aveva raggiunto la durata massima consentita",
            Cause::SpendingCeiling => {
                "la spesa consentita per le chiamate verso l'esterno si è esaurita durante la chiamata"
            }
        }
    }

    /// What happened, for a help-desk manager, in English.
    pub fn sentence_en(self) -> &'static str {
        match self {
            Cause::HungUp => "hung up",
            Cause::Cancelled => "gave up before an answer",
            Cause::ScriptEnded => "the voice menu closed the call as written",
            Cause::Busy => "the party was busy",
            Cause::Declined => "the party declined the call",
            Cause::NoAnswer => "nobody answered in time",
            Cause::NotFound => "the dialled number does not exist here",
            Cause::NoCommonMedia => "the two devices have no audio format in common",
            Cause::NotSecured => {
                "the audio could not be encrypted: the handshake with the other device failed"
            }
            Cause::BadMedia => "the audio description received cannot be read",
            Cause::NotAcknowledged => {
                "our answer was never acknowledged: the other device's messages do not reach us"
            }
            Cause::PeerTimeout => "the other device did not answer our messages",
            Cause::SessionExpired => "the session expired: the other device gave no more signs of life",
            Cause::Unreachable => "the other device cannot be reached",
            Cause::Refused => "the other device refused the request",
            Cause::Inadmissible => {
                "the call's INVITE could not be read, or asked for what cannot be done here"
            }
            Cause::Looped => "the call went in circles: sent elsewhere, it came back here",
            Cause::Capacity => "the installation had reached one of its limits",
            Cause::ShuttingDown => "the installation was shutting down",
            Cause::EngineRestarted => "the program stopped in mid-call and was started again",
            Cause::TakenElsewhere => "another agent took the call",
            Cause::OtherSideLeft => "the other party left the call",
            Cause::TransferFailed => "the transfer's target could not be reached",
            Cause::Transferred => "the call was handed to another party",
            Cause::TransferredOutwards => "the call was transferred outwards: its operator carries it on",
            Cause::QueueRemoved => "the queue in which it waited was taken out of the configuration",
            Cause::TooLong => "the call outside had reached the longest time that is allowed",
            Cause::SpendingCeiling => "what may be spent on calls outside was used up during the call",
        }
    }
}
