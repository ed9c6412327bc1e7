use crate::{
    AgentState, Banned, CallData, CallUserData, CallbackGivenUp, CallbackOffer, CallbackPause,
    CallbackRequest, CallbackTry, CallerForgotten, CallerRemembered, EmergencyClosed, End, HeardSpeech,
    InterpreterMiss, InterpreterWish, KeyFacts, LegRole, OfferEnd, PassedOver, PlayedPrompt, QueueLeft,
    QueueRefusal, QueueWidened, RecordingEnd, ScriptStarted, SilenceEvidence, SupervisionMode, SurveyAnswer,
    TrustAssessed, WrongKey,
};
use serde::{Deserialize, Serialize};

/// What can happen. The name of a variant is the catalogue's type: `CallArrived` is `call.arrived`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum FactKind {
    // The system -----------------------------------------------------------------------------------
    /// The program began to serve.
    #[serde(rename = "system.started")]
    SystemStarted {
        /// Of the program.
        version: String,
        /// The number of the last fact before, if there is any.
        previous_head: Option<u64>,
    },
    /// The program was asked to end and takes no new calls.
    #[serde(rename = "system.stopping")]
    SystemStopping {
        /// Calls still going on.
        calls: usize,
    },
    /// A configuration is in force for calls from now on.
    #[serde(rename = "config.activated")]
    ConfigActivated {
        /// `sha256:` and a hash of the files.
        version: String,
    },
    /// A configuration was found wrong; what ran goes on.
    #[serde(rename = "config.rejected")]
    ConfigRejected {
        /// Every fault, `file:line:column: what; what to do`.
        findings: Vec<String>,
    },
    // Trunks and devices ---------------------------------------------------------------------------
    /// A trunk can take and send calls.
    #[serde(rename = "trunk.up")]
    TrunkUp {
        /// Its name in the configuration.
        trunk: String,
    },
    /// A trunk's registration failed; it is tried again for ever.
    #[serde(rename = "trunk.registration_failed")]
    TrunkRegistrationFailed {
        /// Its name in the configuration.
        trunk: String,
        /// The operator refused our credentials (a person must act), as opposed to an outage.
        refused: bool,
        /// The final status, if any answer came.
        sip: Option<u16>,
        /// Seconds to the next try.
        next_try_s: u64,
        /// For people.
        why: String,
    },
    /// None of a trunk's servers answers OPTIONS.
    #[serde(rename = "trunk.down")]
    TrunkDown {
        /// Its name in the configuration.
        trunk: String,
        /// The final status, if any answer came.
        sip: Option<u16>,
        /// For people.
        why: String,
    },
    /// Some of a trunk's servers answer OPTIONS, others do not: calls go by those that do.
    #[serde(rename = "trunk.degraded")]
    TrunkDegraded {
        /// Its name in the configuration.
        trunk: String,
        /// How many answer.
        up: usize,
        /// The addresses of those that do not.
        down: Vec<String>,
    },
    /// A trunk is no longer in the configuration.
    #[serde(rename = "trunk.removed")]
    TrunkRemoved {
        /// Its name.
        trunk: String,
    },
    /// An agent's device is there.
    #[serde(rename = "endpoint.registered")]
    EndpointRegistered {
        /// The agent.
        agent: String,
        /// Its contact URI.
        contact: String,
        /// What the device says that it is.
        user_agent: String,
    },
    /// An agent's device is gone.
    #[serde(rename = "endpoint.unregistered")]
    EndpointUnregistered {
        /// The agent.
        agent: String,
        /// `expired`, `by_device` or `flow_lost`.
        why: String,
    },
    // Calls and legs -------------------------------------------------------------------------------
    /// A call was accepted for processing.
    #[serde(rename = "call.arrived")]
    CallArrived {
        /// The caller's number or address, or `anonymous`.
        from: String,
        /// The number or user that was dialled.
        to: String,
        /// The service that answers for it.
        service: String,
        /// The trunk, or the peer, that it came by.
        trunk: String,
        /// The SIP Call-ID of the caller's leg.
        sip_call_id: String,
    },
    /// Something about the call is known or has changed.
    #[serde(rename = "call.classified")]
    CallClassified {
        /// `language`, `topic`, `priority` or a script's own.
        key: String,
        /// Its value.
        value: String,
        /// `ivr`, `number` or `agent`.
        by: String,
    },
    /// Where the caller is from, as far as their number tells. Of one who is withheld, the number is in no fact.
    #[serde(rename = "call.origin")]
    CallOrigin {
        /// What said who calls: `pai`, `rpid`, `ppi`, `from`, or `account` for one of ours.
        source: String,
        /// The caller does not want to be known.
        withheld: bool,
        /// What the number is for: `mobile`, `fixed`, `foreign`, `anonymous` …
        kind: String,
        /// Its country (ISO 3166), or nothing.
        country: String,
        /// Its operator, or nothing.
        operator: String,
        /// Its district, or nothing.
        place: String,
        /// How sure the operator is: `ported`, `assigned`, `assumed`, `unknown`.
        certainty: String,
    },
    /// How far the caller's number can be believed. It says; no call is refused for it.
    #[serde(rename = "call.trust_assessed")]
    CallTrustAssessed(TrustAssessed),
    /// Somebody sent the call on before it came here. The first one is told first.
    #[serde(rename = "call.diverted")]
    CallDiverted {
        /// Their number, or `anonymous`.
        by: String,
        /// The word of RFC 5806: `unconditional`, `no-answer`, `user-busy` …
        reason: String,
        /// How many times.
        count: u8,
    },
    /// The caller's application sent something along (RFC 7433).
    #[serde(rename = "call.user_data")]
    CallUserData(CallUserData),
    /// The last leg ended.
    #[serde(rename = "call.ended")]
    CallEnded {
        /// Who, where and why.
        end: End,
        /// How long each part took.
        data: CallData,
    },
    /// One party's connection was begun.
    #[serde(rename = "leg.created")]
    LegCreated {
        /// From 1 within the call.
        leg: u32,
        /// Whose.
        role: LegRole,
        /// The party's address.
        address: String,
        /// The SIP Call-ID of the leg, by which its messages are found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sip_call_id: Option<String>,
    },
    /// The party's device rings.
    #[serde(rename = "leg.ringing")]
    LegRinging {
        /// Which.
        leg: u32,
    },
    /// The party's side can be heard before it answers, and the caller hears it.
    #[serde(rename = "leg.early_media")]
    LegEarlyMedia {
        /// Which.
        leg: u32,
    },
    /// The party and Cornetta can hear each other.
    #[serde(rename = "leg.connected")]
    LegConnected {
        /// Which.
        leg: u32,
        /// What it is sent: `PCMA`, `PCMU`, `G722`, `opus` or `L16`.
        codec: String,
        /// The contributing source (RFC 3550 §5.1) by which browsers in a room are told that it speaks. 0 in older logs.
        #[serde(default)]
        csrc: u32,
    },
    /// The party is sent another codec from now on.
    #[serde(rename = "leg.codec")]
    LegCodec {
        /// Which.
        leg: u32,
        /// As in `leg.connected`.
        codec: String,
    },
    /// The party put the other on hold.
    #[serde(rename = "leg.held")]
    LegHeld {
        /// Which.
        leg: u32,
    },
    /// The party took the other back.
    #[serde(rename = "leg.resumed")]
    LegResumed {
        /// Which.
        leg: u32,
    },
    /// Two legs hear each other.
    #[serde(rename = "call.connected")]
    CallConnected {
        /// The caller's.
        a: u32,
        /// The other's.
        b: u32,
    },
    /// What two legs hear of each other is decoded and encoded again. The two laws of G.711 need no such thing: a table
    /// makes the one of the other.
    #[serde(rename = "call.transcoded")]
    CallTranscoded {
        /// The caller's.
        a: u32,
        /// The other's.
        b: u32,
        /// The codec of `a`.
        codec_a: String,
        /// The codec of `b`.
        codec_b: String,
    },
    /// A refresh of the party's session failed; it is tried again until the session expires.
    #[serde(rename = "leg.refresh_failed")]
    LegRefreshFailed {
        /// Which.
        leg: u32,
        /// The device's final answer, if there was one.
        sip: Option<u16>,
        /// Milliseconds to the end of the session if no refresh goes through.
        ends_in_ms: u64,
    },
    /// Before it is answered, a tone of the network says how the call goes.
    #[serde(rename = "leg.progress_heard")]
    LegProgressHeard {
        /// Which.
        leg: u32,
        /// `ringing`, `busy`, `congestion` or `special_information`.
        tone: String,
    },
    /// The connection is over.
    #[serde(rename = "leg.ended")]
    LegEnded {
        /// Which.
        leg: u32,
        /// Who, where and why.
        end: End,
    },
    /// What went over a leg, measured.
    #[serde(rename = "leg.quality")]
    LegQuality {
        /// Which.
        leg: u32,
        /// Packets received.
        received: u64,
        /// Packets sent.
        sent: u64,
        /// Packets missing.
        lost: u64,
        /// Packets refused.
        rejected: u64,
        /// Interarrival jitter in microseconds.
        jitter_us: u64,
        /// Round trip in microseconds, if the peer reports.
        round_trip_us: Option<u64>,
        /// How good it was here, 1 to 4.5, if anything came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos: Option<f64>,
        /// How good it was there, if the peer reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remote_mos: Option<f64>,
        /// Packets that the peer missed, if it reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remote_lost: Option<u64>,
        /// What became of the party's speech where it was decoded here, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heard: Option<HeardSpeech>,
    },
    /// How ten seconds of a leg were heard. Told when that changes, and once a minute if it does not.
    #[serde(rename = "leg.quality_sampled")]
    LegQualitySampled {
        /// Which.
        leg: u32,
        /// How many spans of ten seconds this one tells of: those before it were like the one told before them.
        spans: u32,
        /// How good it was here, 1 to 4.5, if anything came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mos: Option<f64>,
        /// How good it was there, if the peer reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remote_mos: Option<f64>,
        /// Packets missed here, in a thousand.
        lost_permille: u32,
        /// Packets missed there, in a thousand, if the peer reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remote_lost_permille: Option<u32>,
        /// Interarrival jitter in microseconds.
        jitter_us: u64,
        /// Round trip in microseconds, if the peer reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round_trip_us: Option<u64>,
        /// What became of the party's speech where it was decoded here, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heard: Option<HeardSpeech>,
    },
    /// A party that should be heard sends nothing.
    #[serde(rename = "media.silent")]
    MediaSilent {
        /// Which.
        leg: u32,
        /// What was seen.
        evidence: SilenceEvidence,
    },
    /// A silent party is heard again.
    #[serde(rename = "media.restored")]
    MediaRestored {
        /// Which.
        leg: u32,
        /// Milliseconds of silence.
        after_ms: u64,
    },
    /// A leg's media is encrypted from now on.
    #[serde(rename = "media.secured")]
    MediaSecured {
        /// Which.
        leg: u32,
        /// How the keys were agreed.
        keys: KeyFacts,
    },
    /// A page that talks is gone: its connection broke and nothing is heard of it. The other party hears music meanwhile.
    #[serde(rename = "leg.lost")]
    LegLost {
        /// Which.
        leg: u32,
        /// For how many milliseconds it is waited for.
        waits_ms: u64,
    },
    /// Such a page is there again.
    #[serde(rename = "leg.taken_back")]
    LegTakenBack {
        /// Its leg from now on.
        leg: u32,
        /// The one that was lost: another one if the page was loaded anew.
        was: u32,
        /// How many milliseconds it was gone.
        after_ms: u64,
    },
    /// The media of a browser has found a way here (ICE), or another one than before: it is spoken to there.
    #[serde(rename = "media.path_found")]
    MediaPathFound {
        /// Which.
        leg: u32,
        /// The browser's address, as it is seen here.
        at: String,
    },
    /// The media of a browser finds no way here: nothing is sent to it until it does.
    #[serde(rename = "media.path_lost")]
    MediaPathLost {
        /// Which.
        leg: u32,
        /// Where it was, if it was found before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// For how many milliseconds no check of it has come.
        silent_ms: u64,
    },
    /// A leg's keys could not be agreed by a handshake on the media's way (DTLS-SRTP): nothing can be heard on it.
    #[serde(rename = "media.handshake_failed")]
    MediaHandshakeFailed {
        /// Which.
        leg: u32,
        /// Why, and what to look at.
        why: String,
    },
    /// Packets that the party's key did not make reached nobody: the first of them, then once a minute at most.
    #[serde(rename = "media.unauthenticated")]
    MediaUnauthenticated {
        /// Which.
        leg: u32,
        /// Where the last one came from.
        from: String,
        /// How many since the last time.
        packets: u64,
        /// The last one was RTCP.
        rtcp: bool,
        /// How the keys were agreed.
        keys: KeyFacts,
    },
    /// A key was pressed.
    #[serde(rename = "dtmf.received")]
    DtmfReceived {
        /// By whom.
        leg: u32,
        /// Which, or `masked`.
        digit: String,
        /// `4733`, `info` or `tones`.
        source: String,
        /// Milliseconds.
        duration_ms: u64,
    },
    // The script -----------------------------------------------------------------------------------
    /// A script has the call from now on, to its end, whatever version of it comes into force meanwhile.
    #[serde(rename = "ivr.started")]
    IvrStarted(ScriptStarted),
    /// The script came to a node.
    #[serde(rename = "ivr.entered")]
    IvrEntered {
        /// The script.
        script: String,
        /// The node.
        node: String,
        /// The call's language there.
        language: String,
    },
    /// Prompts began to play.
    #[serde(rename = "ivr.prompt_started")]
    IvrPromptStarted {
        /// The node.
        node: String,
        /// What, in order, each by its best source.
        prompts: Vec<PlayedPrompt>,
    },
    /// Prompts ended.
    #[serde(rename = "ivr.prompt_ended")]
    IvrPromptEnded {
        /// The node.
        node: String,
        /// Heard to the end, as opposed to cut short by a key.
        complete: bool,
    },
    /// No source of a prompt could be read; the call went on.
    #[serde(rename = "ivr.prompt_missing")]
    IvrPromptMissing {
        /// The best source.
        prompt: String,
    },
    /// A key chose something.
    #[serde(rename = "ivr.input")]
    IvrInput {
        /// The node.
        node: String,
        /// The key.
        key: String,
        /// What it chose.
        choice: String,
    },
    /// The caller pressed nothing in time.
    #[serde(rename = "ivr.no_input")]
    IvrNoInput {
        /// The node.
        node: String,
        /// Which try, from 1.
        attempt: u32,
    },
    /// The caller pressed a key that means nothing here.
    #[serde(rename = "ivr.no_match")]
    IvrNoMatch(WrongKey),
    /// Digits were typed.
    #[serde(rename = "ivr.collected")]
    IvrCollected {
        /// The node.
        node: String,
        /// They; a dot for each one that nobody shall read.
        digits: String,
    },
    /// The caller answered a question about the service.
    #[serde(rename = "survey.answered")]
    SurveyAnswered(SurveyAnswer),
    /// The caller is to be called back. A number waits once in a queue: who asks again keeps the first place, and gets
    /// the first callback's number.
    #[serde(rename = "callback.requested")]
    CallbackRequested(CallbackRequest),
    /// An agent is asked to call somebody back, in a call of its own.
    #[serde(rename = "callback.offered")]
    CallbackOffered(CallbackOffer),
    /// The agent is there, and the number is called.
    #[serde(rename = "callback.attempted")]
    CallbackAttempted(CallbackTry),
    /// Nobody answered, or there is no room for it now; it will be tried again.
    #[serde(rename = "callback.postponed")]
    CallbackPostponed(CallbackPause),
    /// The two talk: it is done.
    #[serde(rename = "callback.completed")]
    CallbackCompleted(CallbackTry),
    /// It is not tried again.
    #[serde(rename = "callback.failed")]
    CallbackFailed(CallbackGivenUp),
    /// Somebody asked that it be tried no more.
    #[serde(rename = "callback.cancelled")]
    CallbackCancelled {
        /// Which.
        callback: u64,
        /// The token that asked.
        by: String,
    },
    /// A caller's language is remembered for the script, as they have agreed: now, or when they called before.
    #[serde(rename = "caller.remembered")]
    CallerRemembered(CallerRemembered),
    /// Nothing is remembered of a caller any more.
    #[serde(rename = "caller.forgotten")]
    CallerForgotten(CallerForgotten),
    /// The script asked something of somebody outside.
    #[serde(rename = "lookup.answered")]
    LookupAnswered {
        /// The node.
        node: String,
        /// Which look-up.
        lookup: String,
        /// `found`, `missing`, `failed`, or `late`: not within its time.
        outcome: String,
        /// How long the caller waited, in milliseconds.
        waited_ms: u64,
    },
    /// Open or closed was decided.
    #[serde(rename = "calendar.decided")]
    CalendarDecided {
        /// The calendar.
        calendar: String,
        /// The decision.
        open: bool,
        /// The rule that decided.
        rule: String,
    },
    /// The script gave the call on.
    #[serde(rename = "ivr.left")]
    IvrLeft {
        /// The last node.
        node: String,
        /// `queue`, `transfer`, `callback`, `message` or `hang_up`.
        to: String,
    },
    // Queues and offers ----------------------------------------------------------------------------
    /// The call waits for an agent.
    #[serde(rename = "queue.entered")]
    QueueEntered {
        /// Where.
        queue: String,
        /// From 1.
        position: usize,
        /// The skills wanted.
        language: String,
        /// The skills wanted.
        topic: String,
        /// Higher is served first.
        priority: u8,
    },
    /// The caller was told the place.
    #[serde(rename = "queue.position")]
    QueuePosition {
        /// Where.
        queue: String,
        /// From 1.
        position: usize,
    },
    /// The call waited too long; the script goes on with it, as the next `ivr.entered` shows.
    #[serde(rename = "queue.overflowed")]
    QueueOverflowed {
        /// From here.
        queue: String,
        /// Milliseconds waited.
        waited_ms: u64,
    },
    /// The call waits no longer.
    #[serde(rename = "queue.left")]
    QueueLeft {
        /// From here.
        queue: String,
        /// Why.
        reason: QueueLeft,
        /// Milliseconds waited.
        waited_ms: u64,
    },
    /// The call could not wait here; the script goes on with it.
    #[serde(rename = "queue.refused")]
    QueueRefused {
        /// Here.
        queue: String,
        /// Why.
        reason: QueueRefusal,
    },
    /// The call has waited long enough for its language: agents without it are asked too, and an interpreter is sought with the
    /// answer of one of them.
    #[serde(rename = "queue.widened")]
    QueueWidened(QueueWidened),
    /// One agent was asked to take the call, or to interpret in it.
    #[serde(rename = "offer.made")]
    OfferMade {
        /// Its id: the number of this fact.
        offer: u64,
        /// Who.
        agent: String,
        /// Milliseconds to answer.
        deadline_ms: u64,
        /// What they would be in the call: its agent unless said.
        #[serde(default = "LegRole::agent", skip_serializing_if = "LegRole::is_agent")]
        role: LegRole,
    },
    /// The agent took the call: the only winner.
    #[serde(rename = "offer.accepted")]
    OfferAccepted {
        /// Its id.
        offer: u64,
        /// Who.
        agent: String,
        /// What they are in the call: its agent unless said.
        #[serde(default = "LegRole::agent", skip_serializing_if = "LegRole::is_agent")]
        role: LegRole,
    },
    /// The offer came to nothing.
    #[serde(rename = "offer.ended")]
    OfferEnded {
        /// Its id.
        offer: u64,
        /// Who.
        agent: String,
        /// Why.
        reason: OfferEnd,
        /// The device's final answer, if there was one.
        sip: Option<u16>,
    },
    /// What an agent does changed.
    #[serde(rename = "agent.state")]
    AgentState {
        /// Who.
        agent: String,
        /// To what.
        state: AgentState,
        /// The reason of a pause, in force or, while offered or talking, to come.
        reason: Option<String>,
        /// `device`, `api`, or `engine` where it follows from what happened to calls.
        by: String,
    },
    // Transfers ------------------------------------------------------------------------------------
    /// One server failed to take a leg's call; the next is being tried.
    #[serde(rename = "leg.rerouted")]
    LegRerouted {
        /// Which.
        leg: u32,
        /// The server that failed.
        from: String,
        /// The one that is tried now.
        to: String,
        /// 503, 100 if nothing followed it, or nothing if no answer came.
        sip: Option<u16>,
    },
    /// A leg's call to a number outside goes by this trunk.
    #[serde(rename = "leg.routed")]
    LegRouted {
        /// Which.
        leg: u32,
        /// Its name in the configuration.
        trunk: String,
        /// The route; empty if none takes the number, or the service names the trunk.
        route: String,
        /// The trunks that would have come before it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed_over: Vec<PassedOver>,
    },
    /// No trunk, of those that were left, had room for the call; or the trunk that it came by has none.
    #[serde(rename = "call.congested")]
    CallCongested {
        /// The number that was called.
        to: String,
        /// The route; empty if none takes the number, or the call came in.
        route: String,
        /// The trunks.
        passed_over: Vec<PassedOver>,
    },
    /// The call is being connected to another party.
    #[serde(rename = "transfer.started")]
    TransferStarted {
        /// To whom.
        to: String,
        /// The leg of the party that transfers; nothing where a script or the exchange does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<u32>,
    },
    /// An agent of this call makes another one, to ask or to hand this one over.
    #[serde(rename = "transfer.consulting")]
    TransferConsulting {
        /// Whom they call.
        to: String,
        /// The id of the other call.
        consultation: String,
    },
    /// The agent's other call ended without a transfer, or whoever was being transferred hung up first.
    #[serde(rename = "transfer.cancelled")]
    TransferCancelled {
        /// To whom.
        to: String,
    },
    /// The operator of the party that is transferred is asked by REFER to connect it without us.
    #[serde(rename = "transfer.referred")]
    TransferReferred {
        /// To whom.
        to: String,
        /// The operator's trunk.
        trunk: String,
    },
    /// It does not: the exchange connects the two itself.
    #[serde(rename = "transfer.kept")]
    TransferKept {
        /// To whom.
        to: String,
        /// The operator's trunk.
        trunk: String,
        /// How the operator refused, or failed; nothing if it told nothing in time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sip: Option<u16>,
    },
    /// The other party answered.
    #[serde(rename = "transfer.completed")]
    TransferCompleted {
        /// To whom.
        to: String,
    },
    /// The other party did not.
    #[serde(rename = "transfer.failed")]
    TransferFailed {
        /// To whom.
        to: String,
        /// Its final answer, if there was one.
        sip: Option<u16>,
        /// Why: `busy`, `no_answer`, `declined`, `unknown`, `unreachable`; of an agent who was wanted by name also `paused`
        /// and `logged_off`.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Somebody looks at the call's messages and listens to its media, to find a fault.
    #[serde(rename = "capture.started")]
    CaptureStarted {
        /// Its number, since the start of the program.
        capture: u64,
        /// The token that asked.
        by: String,
    },
    // More than two --------------------------------------------------------------------------------
    /// An interpreter is sought: among the agents of a queue, those who speak the language, one after the other.
    #[serde(rename = "interpreter.wanted")]
    InterpreterWanted(InterpreterWish),
    /// No interpreter came, and none is sought any more.
    #[serde(rename = "interpreter.missed")]
    InterpreterMissed(InterpreterMiss),
    /// A party beyond the two hears them, and they it, from now on.
    #[serde(rename = "conference.joined")]
    ConferenceJoined {
        /// Its leg.
        leg: u32,
        /// What it is there.
        role: LegRole,
        /// The token that asked.
        by: String,
    },
    /// That party has left.
    #[serde(rename = "conference.left")]
    ConferenceLeft {
        /// Its leg.
        leg: u32,
    },
    /// A party is no longer heard by the others, or is heard again.
    #[serde(rename = "conference.muted")]
    ConferenceMuted {
        /// Whose leg.
        leg: u32,
        /// Whether it is muted.
        muted: bool,
        /// The token that asked; empty where the call was handed on, which ends it, and where the party has taken the
        /// call on another device, which does not.
        by: String,
    },
    /// A supervisor hears the call from now on.
    #[serde(rename = "supervision.started")]
    SupervisionStarted {
        /// The supervisor's leg.
        leg: u32,
        /// Who listens.
        supervisor: String,
        /// The agent who is listened to.
        agent: String,
        /// Who hears the supervisor.
        mode: SupervisionMode,
        /// By what right, as whoever asked has said.
        basis: String,
        /// The token that asked.
        by: String,
    },
    /// From now on others hear the supervisor than before.
    #[serde(rename = "supervision.mode_changed")]
    SupervisionModeChanged {
        /// The supervisor's leg.
        leg: u32,
        /// Who listens.
        supervisor: String,
        /// Who hears the supervisor.
        mode: SupervisionMode,
        /// By what right, as whoever asked has said.
        basis: String,
        /// The token that asked.
        by: String,
    },
    /// The supervisor hears the call no longer.
    #[serde(rename = "supervision.ended")]
    SupervisionEnded {
        /// The supervisor's leg.
        leg: u32,
        /// Who listened.
        supervisor: String,
    },
    // Recordings -----------------------------------------------------------------------------------
    /// The call is recorded from now on.
    #[serde(rename = "recording.started")]
    RecordingStarted {
        /// The recording's id, which is that of its file too.
        recording: String,
        /// `call`: both channels; `message`: what the party says alone.
        of: String,
        /// By what right, as whoever asked has said.
        basis: String,
        /// The token that asked.
        by: String,
        /// The caller's language, as far as it is known; otherwise empty.
        #[serde(default)]
        language: String,
    },
    /// Nothing is recorded until it is resumed: silence of the same length stands in the file.
    #[serde(rename = "recording.paused")]
    RecordingPaused {
        /// Which.
        recording: String,
        /// The token that asked.
        by: String,
    },
    /// It is recorded again.
    #[serde(rename = "recording.resumed")]
    RecordingResumed {
        /// Which.
        recording: String,
        /// The token that asked.
        by: String,
    },
    /// The recording is complete, and its file is closed.
    #[serde(rename = "recording.stopped")]
    RecordingStopped {
        /// Which.
        recording: String,
        /// Why.
        why: RecordingEnd,
        /// The token that asked; empty if none did.
        by: String,
        /// Milliseconds.
        length_ms: u64,
        /// So much of it is silence that stands for what the disk was too slow for.
        lost_ms: u64,
    },
    /// The recording could not be written, or no more; the call goes on. What was written before can be played.
    #[serde(rename = "recording.failed")]
    RecordingFailed {
        /// Which.
        recording: String,
        /// For people: the cause and the next step.
        why: String,
        /// Milliseconds that there are of it, 0 if that is not known.
        length_ms: u64,
        /// So much of that is silence that stands for what the disk was too slow for.
        lost_ms: u64,
    },
    // Texts ----------------------------------------------------------------------------------------
    /// A text between two accounts, or from a trunk, was handed on or refused. Its words are not kept.
    #[serde(rename = "text.sent")]
    TextSent {
        /// Who wrote it.
        from: String,
        /// To whom.
        to: String,
        /// Its length.
        bytes: usize,
        /// The answer that its sender got: 2xx if a device took it.
        sip: u16,
    },
    // Security -------------------------------------------------------------------------------------
    /// A request was refused for who sent it or how it was made. Many alike are counted, not repeated.
    #[serde(rename = "security.blocked")]
    SecurityBlocked {
        /// The address it came from.
        source: String,
        /// Why.
        rule: String,
        /// How many since the last such fact.
        count: u64,
    },
    /// An agent, or a trunk's operator by REFER, wanted a number called that they may not have called.
    #[serde(rename = "outbound.refused")]
    OutboundRefused {
        /// The agent or the trunk.
        who: String,
        /// The number.
        to: String,
        /// The rule that came nearest; empty if none opens the number.
        rule: String,
        /// `no_rule`, `hours`, `calls_per_hour` or `spend`.
        limit: String,
        /// For people.
        why: String,
    },
    /// A rule let an agent, or a trunk's operator by REFER, have a number called.
    #[serde(rename = "outbound.allowed")]
    OutboundAllowed {
        /// The agent or the trunk.
        who: String,
        /// The number.
        to: String,
        /// The rule.
        rule: String,
        /// What the call is taken to cost, in thousandths of a cent; 0 if the rule has no price for it.
        millicents: u64,
    },
    /// That call is over, or was never made: this is what it cost, instead of what was thought.
    #[serde(rename = "outbound.settled")]
    OutboundSettled {
        /// The number of the fact that allowed it.
        allowed: u64,
        /// The agent or the trunk.
        who: String,
        /// The rule.
        rule: String,
        /// Whole seconds of conversation.
        seconds: u64,
        /// Thousandths of a cent.
        millicents: u64,
    },
    /// Somebody is kept out for a time: what they send is not even read.
    #[serde(rename = "security.banned")]
    SecurityBanned(Banned),
    /// Somebody is let in again.
    #[serde(rename = "security.unbanned")]
    SecurityUnbanned {
        /// As the ban says.
        source: String,
        /// `expired`, `lifted` by a person, `evicted`: there was no room for more; or `proved`: it stood on what may be
        /// forged, and a device registered from there with the right password.
        why: String,
        /// The client that asked for it to be lifted.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        by: String,
    },
    /// Somebody has closed a desk, whatever its calendars say.
    #[serde(rename = "emergency.closed")]
    EmergencyClosed(EmergencyClosed),
    /// A desk goes by its calendars again.
    #[serde(rename = "emergency.opened")]
    EmergencyOpened {
        /// As the closure says.
        scope: String,
        /// The client that asked for it.
        by: String,
    },
}
