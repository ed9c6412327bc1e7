use super::csv::{code, local_time};
use base::Wall;
use facts::{
    Cause, End, Fact, FactKind, InterpreterMiss, InterpreterWish, LegRole, PassedOver, QueueLeft,
    QueueRefusal, QueueWidened, ScriptStarted, Side, SupervisionMode,
};
use jiff::tz::TimeZone;

/// Why a call ended as it did, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// One paragraph in Italian, with what to do next.
    pub it: String,
    /// The same in English.
    pub en: String,
    /// What led there, in order.
    pub steps: Vec<Step>,
}

/// One thing that happened on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Wall,
    /// In Italian.
    pub it: String,
    /// In English.
    pub en: String,
}

/// Explains one call from its facts, in the order of the log. `None`: there is no fact in them that the call
/// arrived or ended.
pub fn why(facts: &[Fact]) -> Option<Explanation> {
    let arrived = facts.iter().find_map(|fact| match &fact.kind {
        FactKind::CallArrived { from, to, .. } => Some((fact.at, from.as_str(), to.as_str())),
        _ => None,
    });
    let ended = facts.iter().rev().find_map(|fact| match &fact.kind {
        FactKind::CallEnded { end, .. } => Some((fact.at, end)),
        _ => None,
    });
    if arrived.is_none() && ended.is_none() {
        return None;
    }
    let (mut it, mut en) = opening(arrived);
    match ended {
        Some((at, end)) => close(&mut it, &mut en, arrived.map(|(from, ..)| from), at, end),
        None => {
            it.push_str(" Non è ancora terminata.");
            en.push_str(" It has not ended yet.");
        }
    }
    Some(Explanation { it, en, steps: facts.iter().filter_map(step).collect() })
}

fn opening(arrived: Option<(Wall, &str, &str)>) -> (String, String) {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Rome").unwrap_or(TimeZone::UTC);
    match arrived {
        Some((at, from, to)) => {
            let at = local_time(at, &zone);
            (
                format!("Chiamata da {from} a {to}, arrivata {at}."),
                format!("Call from {from} to {to}, arrived {at}."),
            )
        }
        None => (
            "Chiamata il cui inizio non è più nel registro.".into(),
            "A call whose beginning is no longer in the log.".into(),
        ),
    }
}

fn close(it: &mut String, en: &mut String, arrived: Option<Wall>, at: Wall, end: &End) {
    let (by_it, by_en) = side(end.by);
    if let Some(arrived) = arrived {
        let seconds = at.unix_micros().saturating_sub(arrived.unix_micros()).max(0) / 1_000_000;
        it.push_str(&format!(" È durata {} min {} s.", seconds / 60, seconds % 60));
        en.push_str(&format!(" It lasted {} min {} s.", seconds / 60, seconds % 60));
    }
    it.push_str(&format!(" L'ha conclusa {by_it}: {}.", end.cause.sentence_it()));
    en.push_str(&format!(" It was ended by {by_en}: {}.", end.cause.sentence_en()));
    if !end.place.is_empty() {
        it.push_str(&format!(" Punto del percorso: {}.", end.place));
        en.push_str(&format!(" Place in the flow: {}.", end.place));
    }
    let codes = [end.sip.map(|code| format!("SIP {code}")), end.q850.map(|code| format!("Q.850 {code}"))];
    let codes: Vec<String> = codes.into_iter().flatten().collect();
    if !codes.is_empty() {
        it.push_str(&format!(" Codici: {}.", codes.join(", ")));
        en.push_str(&format!(" Codes: {}.", codes.join(", ")));
    }
    if !end.detail.is_empty() {
        it.push_str(&format!(" Evidenze: {}.", end.detail));
        en.push_str(&format!(" Evidence: {}.", end.detail));
    }
    let (next_it, next_en) = next_step(end.cause);
    it.push_str(&format!(" Che cosa fare: {next_it}."));
    en.push_str(&format!(" What to do: {next_en}."));
}

fn side(by: Side) -> (&'static str, &'static str) {
    match by {
        Side::Caller => ("il chiamante", "the caller"),
        Side::Callee => ("l'interlocutore", "the other party"),
        Side::Service => ("il servizio", "the service"),
        Side::Network => ("la rete", "the network"),
        Side::Engine => ("il centralino", "the exchange"),
    }
}

fn next_step(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::HungUp
        | Cause::ScriptEnded
        | Cause::TakenElsewhere
        | Cause::OtherSideLeft
        | Cause::Transferred
        | Cause::TransferredOutwards => ("nulla, è una fine normale", "nothing, this is a normal end"),
        Cause::Cancelled => (
            "se succede spesso, guardare quanto si aspetta prima della risposta",
            "if this is frequent, look at how long callers wait for an answer",
        ),
        Cause::Busy | Cause::Declined => (
            "chiedere all'interlocutore se l'apparato era in uso o impostato su non disturbare",
            "ask the party whether the device was in use or set to do not disturb",
        ),
        Cause::NoAnswer => (
            "verificare che qualcuno fosse presente e che l'apparato squilli",
            "check that somebody was there and that the device rings",
        ),
        Cause::NotFound => (
            "controllare il numero composto e i servizi nella configurazione",
            "check the dialled number and the services in the configuration",
        ),
        Cause::NoCommonMedia | Cause::BadMedia | Cause::NotSecured => next_step_of_media(cause),
        Cause::NotAcknowledged => (
            "controllare NAT e firewall e l'indirizzo pubblico (public_address) della configurazione",
            "check NAT and firewall, and the configuration's public_address",
        ),
        Cause::PeerTimeout | Cause::SessionExpired | Cause::Unreachable => (
            "verificare che l'altro apparato sia acceso, che il suo indirizzo sia giusto e che il firewall lasci passare",
            "check that the other device is on, that its address is right and that the firewall lets it through",
        ),
        Cause::Refused => (
            "cercare il codice SIP presso chi gestisce l'altro apparato o la linea",
            "ask whoever runs the other device or the trunk about the SIP code",
        ),
        Cause::Inadmissible => (
            "mostrare la frase delle evidenze a chi gestisce l'apparato o la linea del chiamante",
            "show the sentence in the evidence to whoever runs the caller's device or trunk",
        ),
        Cause::Looped => (
            "guardare dove sono deviati i numeri a cui inoltrano i servizi: uno di essi rimanda qui",
            "see where the numbers that services put through to are forwarded: one of them sends calls back here",
        ),
        Cause::Capacity => (
            "guardare quale limite è indicato nelle evidenze e alzarlo, o aggiungere un nodo",
            "see in the evidence which limit it was and raise it, or add a node",
        ),
        Cause::TooLong | Cause::SpendingCeiling => (
            "vedere chi chiamava e perché; se era lecito, alzare `longest` o `cents_per_day` della regola [[outbound]]",
            "see who called and why; if they may, raise `longest` or `cents_per_day` of the [[outbound]] rule",
        ),
        Cause::QueueRemoved | Cause::ShuttingDown | Cause::EngineRestarted => next_step_of_ours(cause),
        Cause::TransferFailed => (
            "controllare il numero di destinazione e la linea usata per il trasferimento",
            "check the target's number and the trunk that the transfer uses",
        ),
    }
}

/// What whoever runs the installation did, or what befell it.
fn next_step_of_ours(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::QueueRemoved => (
            "richiamare a mano chi attendeva: il numero è nel fatto `callback.requested`",
            "call by hand whoever waited: the number is in the fact `callback.requested`",
        ),
        Cause::ShuttingDown => (
            "nulla; per non troncare chiamate, attendere che finiscano prima di spegnere",
            "nothing; to cut no calls, wait for them to finish before shutting down",
        ),
        _ => (
            "cercare nel registro di sistema perché il programma si è interrotto, e segnalarlo",
            "find in the system's log why the program stopped, and report it",
        ),
    }
}

fn next_step_of_media(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::NotSecured => (
            "leggere il dettaglio; vedere docs/browsers.md per gli indirizzi, il firewall e TURN",
            "read the detail; docs/browsers.md has the addresses, the firewall and TURN",
        ),
        _ => (
            "abilitare PCMA o PCMU sull'altro apparato; se già lo sono, inviarne l'offerta SDP a chi lo fornisce",
            "enable PCMA or PCMU on the other device; if they are, send its SDP offer to its maker",
        ),
    }
}

/// What came of a look-up.
fn in_italian(outcome: &str) -> &str {
    match outcome {
        "found" => "trovato",
        "missing" => "non trovato",
        "late" => "nessuna risposta in tempo",
        _ => "non riuscita",
    }
}

fn step(fact: &Fact) -> Option<Step> {
    let (it, en) = match &fact.kind {
        FactKind::CallArrived { service, trunk, .. } if service.is_empty() => {
            (format!("arrivata da {trunk}"), format!("came by {trunk}"))
        }
        FactKind::CallArrived { service, trunk, .. } => (
            format!("arrivata da {trunk} per il servizio {service}"),
            format!("came by {trunk} for {service}"),
        ),
        FactKind::IvrStarted(ScriptStarted { script, version }) => (
            format!("percorre lo script {script}, versione {version}"),
            format!("walks the script {script}, version {version}"),
        ),
        FactKind::IvrEntered { node, .. } => (format!("menu: {node}"), format!("menu: {node}")),
        FactKind::IvrInput { key, choice, .. } => {
            (format!("tasto {key}: {choice}"), format!("key {key}: {choice}"))
        }
        FactKind::LookupAnswered { lookup, outcome, waited_ms, .. } => {
            let seconds = waited_ms / 1000;
            (
                format!("ricerca {lookup}: {} ({seconds} s)", in_italian(outcome)),
                format!("look-up {lookup}: {outcome} ({seconds} s)"),
            )
        }
        FactKind::IvrPromptMissing { prompt } => {
            (format!("messaggio mancante: {prompt}"), format!("missing prompt: {prompt}"))
        }
        FactKind::CalendarDecided { open, rule, .. } => {
            let (it, en) = if *open { ("aperto", "open") } else { ("chiuso", "closed") };
            (format!("orario: {it} ({rule})"), format!("hours: {en} ({rule})"))
        }
        _ => queue_step(&fact.kind)
            .or_else(|| leg_step(&fact.kind))
            .or_else(|| transfer_step(&fact.kind))
            .or_else(|| conference_step(&fact.kind))
            .or_else(|| recording_step(&fact.kind))?,
    };
    Some(Step { at: fact.at, it, en })
}

fn queue_step(kind: &FactKind) -> Option<(String, String)> {
    Some(match kind {
        FactKind::QueueEntered { queue, position, .. } => {
            (format!("in coda {queue}, posto {position}"), format!("in queue {queue}, place {position}"))
        }
        FactKind::QueueRefused { queue, reason } => {
            let (it, en) = match reason {
                QueueRefusal::Full => ("è piena", "is full"),
                QueueRefusal::NobodyThere => {
                    ("non ha operatori adatti collegati", "has nobody there who could help")
                }
            };
            (format!("la coda {queue} {it}"), format!("the queue {queue} {en}"))
        }
        FactKind::QueueLeft { queue, reason, waited_ms } => {
            let (it, en) = left(*reason);
            let seconds = waited_ms / 1000;
            (
                format!("fuori dalla coda {queue} dopo {seconds} s: {it}"),
                format!("left queue {queue} after {seconds} s: {en}"),
            )
        }
        FactKind::OfferMade { agent, role: LegRole::Interpreter, .. } => {
            (format!("squilla all'interprete {agent}"), format!("rings at the interpreter {agent}"))
        }
        FactKind::OfferMade { agent, .. } => (format!("squilla a {agent}"), format!("rings at {agent}")),
        FactKind::OfferAccepted { agent, .. } => (format!("risponde {agent}"), format!("{agent} answers")),
        FactKind::OfferEnded { agent, reason, sip, .. } => {
            let sip = sip.map(|status| format!(", SIP {status}")).unwrap_or_default();
            let reason = code(reason);
            (
                format!("{agent} non prende la chiamata ({reason}{sip})"),
                format!("{agent} does not take it ({reason}{sip})"),
            )
        }
        _ => return None,
    })
}

fn passed_over_list(trunks: &[PassedOver]) -> String {
    let listed: Vec<String> = trunks.iter().map(|over| format!("{} ({})", over.trunk, over.why)).collect();
    listed.join(", ")
}

fn left(reason: QueueLeft) -> (&'static str, &'static str) {
    match reason {
        QueueLeft::Answered => ("ha risposto un operatore", "an agent answered"),
        QueueLeft::Abandoned => ("il chiamante ha rinunciato", "the caller gave up"),
        QueueLeft::Timeout => ("attesa massima raggiunta", "waited long enough"),
        QueueLeft::Ended => ("chiusa dal centralino", "ended by the exchange"),
    }
}

/// Who is beside the two.
fn conference_step(kind: &FactKind) -> Option<(String, String)> {
    Some(match kind {
        FactKind::SupervisionStarted { supervisor, agent, mode, .. } => {
            let (it, en) = supervision(*mode);
            (format!("{supervisor} {it} {agent}"), format!("{supervisor} {en} {agent}"))
        }
        FactKind::SupervisionModeChanged { supervisor, mode, .. } => {
            let mode = mode.as_str();
            (format!("{supervisor} passa a: {mode}"), format!("{supervisor} changes to: {mode}"))
        }
        FactKind::SupervisionEnded { supervisor, .. } => {
            (format!("{supervisor} non ascolta più"), format!("{supervisor} listens no longer"))
        }
        FactKind::QueueWidened(QueueWidened { language, .. }) => (
            format!("si cerca anche chi non parla {language}, con un interprete"),
            format!("agents who do not speak {language} are sought too, with an interpreter"),
        ),
        FactKind::InterpreterWanted(InterpreterWish { language, queue, .. }) => (
            format!("si cerca un interprete di {language} in «{queue}»"),
            format!("an interpreter of {language} is sought in `{queue}`"),
        ),
        FactKind::InterpreterMissed(InterpreterMiss { language, reason, .. }) => (
            format!("nessun interprete di {language} ({})", code(reason)),
            format!("no interpreter of {language} ({})", code(reason)),
        ),
        FactKind::ConferenceJoined { leg, role: LegRole::Interpreter, .. } => (
            format!("l'interprete è in linea (parte {leg})"),
            format!("the interpreter is there (leg {leg})"),
        ),
        FactKind::ConferenceJoined { leg, .. } => {
            (format!("si aggiunge la parte {leg}"), format!("leg {leg} joins them"))
        }
        FactKind::ConferenceLeft { leg } => {
            (format!("la parte {leg} lascia la conversazione"), format!("leg {leg} leaves them"))
        }
        FactKind::ConferenceMuted { leg, muted: true, .. } => {
            (format!("la parte {leg} non è più sentita"), format!("leg {leg} is muted"))
        }
        FactKind::ConferenceMuted { leg, .. } => {
            (format!("la parte {leg} è di nuovo sentita"), format!("leg {leg} is heard again"))
        }
        _ => return None,
    })
}

fn recording_step(kind: &FactKind) -> Option<(String, String)> {
    Some(match kind {
        FactKind::RecordingStarted { recording, by, basis, .. } => (
            format!("registrata da {by} ({basis}): {recording}"),
            format!("recorded by {by} ({basis}): {recording}"),
        ),
        FactKind::RecordingPaused { .. } => ("registrazione sospesa".into(), "recording pauses".into()),
        FactKind::RecordingResumed { .. } => ("registrazione ripresa".into(), "recording goes on".into()),
        FactKind::RecordingStopped { length_ms, lost_ms, .. } => {
            let seconds = length_ms / 1000;
            (
                format!("registrazione finita: {seconds} s, persi {lost_ms} ms"),
                format!("recording ended: {seconds} s, {lost_ms} ms lost"),
            )
        }
        FactKind::RecordingFailed { why, length_ms, .. } => {
            let seconds = length_ms / 1000;
            (
                format!("registrazione interrotta dopo {seconds} s: {why}"),
                format!("recording broke off after {seconds} s: {why}"),
            )
        }
        _ => return None,
    })
}

fn supervision(mode: SupervisionMode) -> (&'static str, &'static str) {
    match mode {
        SupervisionMode::Listen => ("ascolta", "listens to"),
        SupervisionMode::Whisper => ("suggerisce a", "whispers to"),
        SupervisionMode::Barge => ("interviene con", "barges in on"),
    }
}

fn transfer_step(kind: &FactKind) -> Option<(String, String)> {
    Some(match kind {
        FactKind::TransferStarted { to, .. } => {
            (format!("trasferimento verso {to}"), format!("transfer to {to}"))
        }
        FactKind::TransferConsulting { to, consultation } => (
            format!("l'operatore consulta {to} (chiamata {consultation})"),
            format!("the agent consults {to} (call {consultation})"),
        ),
        FactKind::TransferCancelled { to } => {
            (format!("rinuncia al trasferimento verso {to}"), format!("the transfer to {to} is given up"))
        }
        FactKind::TransferCompleted { to } => (format!("passata a {to}"), format!("handed to {to}")),
        FactKind::TransferReferred { to, trunk } => (
            format!("si chiede a {trunk} di collegare {to} per conto suo"),
            format!("{trunk} is asked to connect {to} by itself"),
        ),
        FactKind::TransferKept { trunk, sip, .. } => {
            let sip = sip.map(|status| format!(" (SIP {status})")).unwrap_or_default();
            (
                format!("{trunk} non lo fa{sip}: la chiamata resta qui"),
                format!("{trunk} does not{sip}: the call stays here"),
            )
        }
        FactKind::TransferFailed { to, sip, reason } => {
            let sip = sip.map(|status| format!("SIP {status}")).unwrap_or_default();
            let why: Vec<&str> = [reason.as_str(), &sip].into_iter().filter(|why| !why.is_empty()).collect();
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
            (format!("trasferimento verso {to} non riuscito{why}"), format!("transfer to {to} failed{why}"))
        }
        _ => return None,
    })
}

fn leg_step(kind: &FactKind) -> Option<(String, String)> {
    Some(match kind {
        FactKind::LegRouted { leg, trunk, passed_over, .. } => {
            let over = passed_over_list(passed_over);
            let (over_it, over_en) = match over.as_str() {
                "" => (String::new(), String::new()),
                over => (format!("; scartate: {over}"), format!("; passed over: {over}")),
            };
            (format!("parte {leg} sulla linea {trunk}{over_it}"), format!("leg {leg} by {trunk}{over_en}"))
        }
        FactKind::CallCongested { passed_over, .. } => {
            let over = passed_over_list(passed_over);
            (format!("nessuna linea libera: {over}"), format!("no trunk has room: {over}"))
        }
        FactKind::CallConnected { .. } => {
            ("le parti si sentono".into(), "the parties hear each other".into())
        }
        FactKind::LegEnded { leg, end } => {
            let (by_it, by_en) = side(end.by);
            (
                format!("parte {leg} chiusa: {by_it}, {}", end.cause.sentence_it()),
                format!("leg {leg} ended: {by_en}, {}", end.cause.sentence_en()),
            )
        }
        _ => return media_step(kind),
    })
}

fn media_step(kind: &FactKind) -> Option<(String, String)> {
    Some(match kind {
        FactKind::CallTranscoded { codec_a, codec_b, .. } => (
            format!("il suono si converte fra {codec_a} e {codec_b}"),
            format!("their sound is transcoded between {codec_a} and {codec_b}"),
        ),
        FactKind::LegProgressHeard { leg, tone } => {
            let (tone_it, tone_en) = network_tone(tone);
            (
                format!("parte {leg}: dalla rete viene il tono di {tone_it}"),
                format!("leg {leg}: the network's tone says {tone_en}"),
            )
        }
        FactKind::MediaSilent { leg, evidence } => (
            format!("la parte {leg} tace da {} ms", evidence.silent_ms),
            format!("leg {leg} has been silent for {} ms", evidence.silent_ms),
        ),
        FactKind::MediaUnauthenticated { leg, from, packets, keys, .. } => (
            format!(
                "parte {leg}: {packets} pacchetti da {from} non autentici ({}, {})",
                keys.suite, keys.exchange
            ),
            format!(
                "leg {leg}: {packets} packets from {from} not authentic ({}, {})",
                keys.suite, keys.exchange
            ),
        ),
        FactKind::LegLost { leg, .. } => (
            format!("parte {leg}: la pagina del browser è sparita, la si aspetta"),
            format!("leg {leg}: the browser's page is gone, it is waited for"),
        ),
        FactKind::LegTakenBack { leg, after_ms, .. } => (
            format!("la pagina è tornata dopo {after_ms} ms (parte {leg})"),
            format!("the page is back after {after_ms} ms (leg {leg})"),
        ),
        FactKind::MediaPathLost { leg, at, silent_ms } => {
            let (at_it, at_en) = match at {
                Some(at) => (format!(" (era a {at})"), format!(" (it was at {at})")),
                None => (String::new(), String::new()),
            };
            (
                format!("parte {leg}: il browser non trova la via per l'audio da {silent_ms} ms{at_it}"),
                format!("leg {leg}: the browser has found no way for its media for {silent_ms} ms{at_en}"),
            )
        }
        FactKind::MediaHandshakeFailed { leg, why } => (
            format!("parte {leg}: l'audio non si è potuto cifrare ({why})"),
            format!("leg {leg}: its media could not be encrypted ({why})"),
        ),
        _ => return None,
    })
}

fn network_tone(tone: &str) -> (&str, &str) {
    match tone {
        "ringing" => ("libero", "ringing"),
        "busy" => ("occupato", "busy"),
        "congestion" => ("congestione", "congestion"),
        "special_information" => ("avviso speciale", "an announcement follows"),
        other => (other, other),
    }
}
