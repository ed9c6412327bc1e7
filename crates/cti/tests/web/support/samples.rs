//! One fact of every kind.

use facts::{
    AgentState, Banned, CallData, CallbackGivenUp, CallbackOffer, CallbackPause, CallbackRequest,
    CallbackTry, CallerForgotten, CallerRemembered, Cause, EmergencyClosed, End, FactKind, HeardSpeech,
    InterpreterMiss, InterpreterWish, KeyFacts, LegRole, NoInterpreter, OfferEnd, PassedOver, PlayedPrompt,
    QueueLeft, QueueRefusal, QueueWidened, RecordingEnd, Side, SilenceEvidence, SupervisionMode,
    TrustAssessed, WrongKey,
};

pub(crate) const NUMBER: &str = "+393471234567";

pub(crate) fn arrived() -> FactKind {
    FactKind::CallArrived {
        from: NUMBER.into(),
        to: "800123456".into(),
        service: "supporto".into(),
        trunk: "operatore".into(),
        sip_call_id: "a84b4c76e66710".into(),
    }
}

pub(crate) fn ended() -> FactKind {
    let end = End::new(Side::Caller, Cause::HungUp).sip(200).place("lavoro").detail(format!("From {NUMBER}"));
    FactKind::CallEnded {
        end,
        data: CallData { total_ms: 5000, ivr_ms: 1000, queue_ms: 1500, talk_ms: 2500 },
    }
}

fn passed_over() -> PassedOver {
    PassedOver { trunk: "mobile".into(), why: "channels".into() }
}

pub(crate) fn agent(name: &str, state: AgentState) -> FactKind {
    FactKind::AgentState { agent: name.into(), state, reason: None, by: "api".into() }
}

/// Everything that can happen, in the catalogue's order.
pub(crate) fn every_kind() -> Vec<FactKind> {
    let mut kinds = desk();
    kinds.extend(call());
    kinds.extend(script());
    kinds.extend(queue());
    kinds
}

fn desk() -> Vec<FactKind> {
    vec![
        FactKind::SystemStarted { version: "0.1.0".into(), previous_head: Some(3) },
        FactKind::SystemStopping { calls: 2 },
        FactKind::ConfigActivated { version: "sha256:00".into() },
        FactKind::ConfigRejected { findings: vec!["cornetta.toml:3:1: unknown key".into()] },
        FactKind::TrunkUp { trunk: "operatore".into() },
        FactKind::TrunkDown {
            trunk: "operatore".into(),
            sip: Some(503),
            why: "the operator's servers answer that they cannot serve".into(),
        },
        FactKind::TrunkDegraded { trunk: "operatore".into(), up: 1, down: vec!["192.0.2.11:5060".into()] },
        FactKind::TrunkRemoved { trunk: "operatore".into() },
        FactKind::TrunkRegistrationFailed {
            trunk: "operatore".into(),
            refused: true,
            sip: Some(403),
            next_try_s: 300,
            why: "credentials".into(),
        },
        FactKind::EndpointRegistered {
            agent: "anna".into(),
            contact: "sip:anna@10.0.0.5:5060".into(),
            user_agent: "baresip".into(),
        },
        FactKind::EndpointUnregistered { agent: "anna".into(), why: "expired".into() },
        FactKind::CaptureStarted { capture: 3, by: "crm".into() },
        FactKind::InterpreterWanted(InterpreterWish {
            language: "ar".into(),
            queue: "interpreti".into(),
            within_ms: 60_000,
            parted: true,
            by: "script".into(),
        }),
        FactKind::InterpreterMissed(InterpreterMiss {
            language: "ar".into(),
            reason: NoInterpreter::NoAnswer,
            waited_ms: 60_000,
        }),
        FactKind::ConferenceJoined { leg: 3, role: LegRole::External, by: "crm".into() },
        FactKind::ConferenceLeft { leg: 3 },
        FactKind::ConferenceMuted { leg: 3, muted: true, by: "crm".into() },
        FactKind::RecordingStarted {
            recording: "rm1-01ARZ3NDEKTSV4RRFFQ69G5FAV-1".into(),
            of: "call".into(),
            basis: "verbale".into(),
            by: "crm".into(),
            language: "it".into(),
        },
        FactKind::RecordingPaused { recording: "rm1-01ARZ3NDEKTSV4RRFFQ69G5FAV-1".into(), by: "crm".into() },
        FactKind::RecordingResumed { recording: "rm1-01ARZ3NDEKTSV4RRFFQ69G5FAV-1".into(), by: "crm".into() },
        FactKind::RecordingStopped {
            recording: "rm1-01ARZ3NDEKTSV4RRFFQ69G5FAV-1".into(),
            why: RecordingEnd::CallEnded,
            by: String::new(),
            length_ms: 93_480,
            lost_ms: 40,
        },
        FactKind::RecordingFailed {
            recording: "rm1-01ARZ3NDEKTSV4RRFFQ69G5FAV-2".into(),
            why: "the recording cannot be written: No space left on device".into(),
            length_ms: 12_000,
            lost_ms: 0,
        },
        FactKind::SupervisionStarted {
            leg: 4,
            supervisor: "carla".into(),
            agent: "anna".into(),
            mode: SupervisionMode::Listen,
            basis: "formazione".into(),
            by: "crm".into(),
        },
        FactKind::SupervisionModeChanged {
            leg: 4,
            supervisor: "carla".into(),
            mode: SupervisionMode::Whisper,
            basis: "formazione".into(),
            by: "crm".into(),
        },
        FactKind::SupervisionEnded { leg: 4, supervisor: "carla".into() },
        FactKind::SecurityBlocked { source: "192.0.2.9".into(), rule: "unknown_user".into(), count: 7 },
        FactKind::OutboundAllowed {
            who: "anna".into(),
            to: NUMBER.into(),
            rule: "italy".into(),
            millicents: 20_000,
        },
        FactKind::OutboundSettled {
            allowed: 7,
            who: "anna".into(),
            rule: "italy".into(),
            seconds: 61,
            millicents: 2_034,
        },
        FactKind::OutboundRefused {
            who: "anna".into(),
            to: NUMBER.into(),
            rule: "italy".into(),
            limit: "hours".into(),
            why: "the rule italy is closed at this hour".into(),
        },
        FactKind::SecurityBanned(Banned {
            source: "192.0.2.9/32".into(),
            rule: "guessing".into(),
            seconds: 600,
            level: 1,
            messages: 21,
            method: "REGISTER".into(),
            user: "anna".into(),
            detail: String::new(),
            by: String::new(),
        }),
        FactKind::SecurityUnbanned { source: "192.0.2.9/32".into(), why: "lifted".into(), by: "crm".into() },
        FactKind::EmergencyClosed(EmergencyClosed {
            scope: "number:1510".into(),
            message: "strike".into(),
            reason: "sciopero".into(),
            by: "crm".into(),
        }),
        FactKind::EmergencyOpened { scope: "number:1510".into(), by: "crm".into() },
    ]
}

fn call() -> Vec<FactKind> {
    vec![
        arrived(),
        FactKind::CallClassified { key: "language".into(), value: "it".into(), by: "ivr".into() },
        FactKind::CallOrigin {
            source: "pai".into(),
            withheld: false,
            kind: "mobile".into(),
            country: "IT".into(),
            operator: "Lycamobile".into(),
            place: String::new(),
            certainty: "assumed".into(),
        },
        FactKind::CallTrustAssessed(TrustAssessed {
            score: 100,
            verification: "passed".into(),
            attestation: "A".into(),
            origid: "123e4567-e89b-12d3-a456-426655440000".into(),
            reasons: vec!["signed".into()],
        }),
        FactKind::CallDiverted { by: NUMBER.into(), reason: "no-answer".into(), count: 1 },
        FactKind::CallUserData(facts::CallUserData {
            data: NUMBER.into(),
            encoding: "hex".into(),
            purpose: "isdn-uui".into(),
        }),
        ended(),
        FactKind::LegCreated {
            leg: 1,
            role: LegRole::Caller,
            address: format!("sip:{NUMBER}@10.0.0.1"),
            sip_call_id: Some("a84b4c76e66710".into()),
        },
        FactKind::LegRinging { leg: 2 },
        FactKind::LegEarlyMedia { leg: 2 },
        FactKind::LegRefreshFailed { leg: 2, sip: Some(503), ends_in_ms: 860_000 },
        FactKind::LegRerouted {
            leg: 2,
            from: "192.0.2.11:5060".into(),
            to: "192.0.2.12:5060".into(),
            sip: None,
        },
        FactKind::LegRouted {
            leg: 2,
            trunk: "landline".into(),
            route: "italy".into(),
            passed_over: vec![passed_over()],
        },
        FactKind::CallCongested {
            to: NUMBER.into(),
            route: "italy".into(),
            passed_over: vec![passed_over()],
        },
        FactKind::LegConnected { leg: 2, codec: "PCMA".into(), csrc: 2 },
        FactKind::LegCodec { leg: 2, codec: "G722".into() },
        FactKind::CallTranscoded { a: 1, b: 2, codec_a: "PCMA".into(), codec_b: "G722".into() },
        FactKind::LegHeld { leg: 2 },
        FactKind::LegResumed { leg: 2 },
        FactKind::CallConnected { a: 1, b: 2 },
        FactKind::LegEnded { leg: 2, end: End::new(Side::Network, Cause::Unreachable).detail(NUMBER) },
        FactKind::LegQuality {
            leg: 1,
            received: 100,
            sent: 100,
            lost: 1,
            rejected: 0,
            jitter_us: 900,
            round_trip_us: None,
            mos: Some(4.36),
            remote_mos: None,
            remote_lost: None,
            heard: None,
        },
        FactKind::LegProgressHeard { leg: 2, tone: "busy".into() },
        FactKind::LegQualitySampled {
            leg: 1,
            spans: 6,
            mos: Some(4.36),
            remote_mos: Some(4.2),
            lost_permille: 3,
            remote_lost_permille: Some(12),
            jitter_us: 900,
            round_trip_us: Some(24_000),
            heard: Some(HeardSpeech { discarded: 1, concealed_ms: 40, stretched_ms: 5, longest_wait_ms: 62 }),
        },
        FactKind::MediaSilent {
            leg: 1,
            evidence: SilenceEvidence {
                expected: "10.0.0.1:4000".into(),
                last_source: None,
                silent_ms: 3000,
                received: 0,
                rejected: 0,
                rtcp_alive: false,
            },
        },
        FactKind::MediaRestored { leg: 1, after_ms: 4000 },
        FactKind::MediaSecured { leg: 1, keys: keys() },
        FactKind::LegLost { leg: 2, waits_ms: 15_000 },
        FactKind::LegTakenBack { leg: 3, was: 2, after_ms: 4200 },
        FactKind::MediaPathFound { leg: 1, at: "10.0.0.1:4000".into() },
        FactKind::MediaPathLost { leg: 1, at: Some("10.0.0.1:4000".into()), silent_ms: 30_000 },
        FactKind::MediaHandshakeFailed { leg: 1, why: "no DTLS handshake came from the peer".into() },
        FactKind::MediaUnauthenticated {
            leg: 1,
            from: "10.0.0.1:4000".into(),
            packets: 3,
            rtcp: false,
            keys: keys(),
        },
        FactKind::DtmfReceived { leg: 1, digit: "1".into(), source: "4733".into(), duration_ms: 90 },
        FactKind::TransferStarted { to: NUMBER.into(), by: Some(2) },
        FactKind::TransferConsulting { to: NUMBER.into(), consultation: "rm1-OTHER".into() },
        FactKind::TransferCancelled { to: NUMBER.into() },
        FactKind::TransferCompleted { to: NUMBER.into() },
        FactKind::TransferReferred { to: NUMBER.into(), trunk: "tim".into() },
        FactKind::TransferKept { to: NUMBER.into(), trunk: "tim".into(), sip: Some(603) },
        FactKind::TextSent { from: NUMBER.into(), to: "bruno".into(), bytes: 14, sip: 200 },
        FactKind::TransferFailed { to: NUMBER.into(), sip: Some(486), reason: "busy".into() },
    ]
}

fn script() -> Vec<FactKind> {
    vec![
        FactKind::CallerRemembered(CallerRemembered {
            script: "supporto".into(),
            number: NUMBER.into(),
            language: "fr".into(),
            for_s: 15_552_000,
        }),
        FactKind::CallerForgotten(CallerForgotten {
            script: "supporto".into(),
            number: NUMBER.into(),
            why: "erased".into(),
            by: "crm".into(),
        }),
        FactKind::IvrStarted(facts::ScriptStarted {
            script: "supporto".into(),
            version: "5f0c9a4b7d2e6a35".into(),
        }),
        FactKind::IvrEntered { script: "supporto".into(), node: "lingua".into(), language: "it".into() },
        FactKind::IvrPromptStarted {
            node: "lingua".into(),
            prompts: vec![PlayedPrompt { prompt: "benvenuto".into() }],
        },
        FactKind::IvrPromptEnded { node: "lingua".into(), complete: false },
        FactKind::IvrPromptMissing { prompt: "benvenuto".into() },
        FactKind::IvrInput { node: "lingua".into(), key: "1".into(), choice: "it".into() },
        FactKind::IvrNoInput { node: "lingua".into(), attempt: 1 },
        FactKind::IvrCollected { node: "pratica".into(), digits: "4711".into() },
        FactKind::SurveyAnswered(facts::SurveyAnswer {
            node: "voto".into(),
            question: "soddisfazione".into(),
            answer: "4".into(),
        }),
        FactKind::CallbackRequested(CallbackRequest {
            callback: 7,
            queue: "assistenza".into(),
            number: NUMBER.into(),
            dialled: "1510".into(),
            language: "it".into(),
            topic: "lavoro".into(),
            priority: 3,
            tries: 3,
            pause_ms: 600_000,
            waited_ms: 95_000,
        }),
        FactKind::CallbackOffered(CallbackOffer {
            callback: 7,
            queue: "assistenza".into(),
            number: NUMBER.into(),
            agent: "anna".into(),
        }),
        FactKind::CallbackAttempted(CallbackTry { callback: 7, attempt: 1, agent: "anna".into() }),
        FactKind::CallbackPostponed(CallbackPause {
            callback: 7,
            attempt: 1,
            cause: Cause::Busy,
            sip: Some(486),
            for_ms: 600_000,
        }),
        FactKind::CallbackCompleted(CallbackTry { callback: 7, attempt: 2, agent: "anna".into() }),
        FactKind::CallbackFailed(CallbackGivenUp {
            callback: 7,
            attempts: 3,
            cause: Cause::NoAnswer,
            sip: None,
        }),
        FactKind::CallbackCancelled { callback: 7, by: "crm".into() },
        FactKind::LookupAnswered {
            node: "cliente".into(),
            lookup: "clienti".into(),
            outcome: "found".into(),
            waited_ms: 140,
        },
        FactKind::IvrNoMatch(WrongKey { node: "lingua".into(), key: "9".into(), attempt: 2 }),
        FactKind::CalendarDecided { calendar: "ufficio".into(), open: true, rule: "lun-ven".into() },
        FactKind::IvrLeft { node: "coda".into(), to: "queue".into() },
    ]
}

fn queue() -> Vec<FactKind> {
    vec![
        FactKind::QueueEntered {
            queue: "lavoro".into(),
            position: 1,
            language: "it".into(),
            topic: "lavoro".into(),
            priority: 0,
        },
        FactKind::QueuePosition { queue: "lavoro".into(), position: 1 },
        FactKind::QueueOverflowed { queue: "lavoro".into(), waited_ms: 60_000 },
        FactKind::QueueWidened(QueueWidened { queue: "lavoro".into(), language: "ar".into() }),
        FactKind::QueueRefused { queue: "lavoro".into(), reason: QueueRefusal::Full },
        FactKind::QueueLeft { queue: "lavoro".into(), reason: QueueLeft::Answered, waited_ms: 1500 },
        FactKind::OfferMade { offer: 1, agent: "anna".into(), deadline_ms: 15_000, role: LegRole::Agent },
        FactKind::OfferAccepted { offer: 1, agent: "anna".into(), role: LegRole::Agent },
        FactKind::OfferEnded { offer: 2, agent: "bruno".into(), reason: OfferEnd::Expired, sip: None },
        agent("anna", AgentState::Talking),
    ]
}

fn keys() -> KeyFacts {
    KeyFacts { suite: "AES_CM_128_HMAC_SHA1_80".into(), exchange: "sdes".into(), offered_by: "peer".into() }
}
