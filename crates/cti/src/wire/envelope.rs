use super::personal::{Personal, personal};
use super::sentence::{sentence_en, sentence_it};
use super::{sequence, type_name};
use base::Wall;
use facts::{Fact, FactKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A fact as integrators see it: a CloudEvent 1.0 in the JSON event format, with the extensions
/// `sequence`, `body`, `partitionkey`, `callseq`, `correlationid`, `dataclassification` and `dataregulation`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// `1.0`.
    pub specversion: &'static str,
    /// The same for the same fact, whenever it is read. 26 characters that sort by time.
    pub id: String,
    /// Which log.
    pub source: Arc<str>,
    /// `cti.call.arrived.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `call/ID`, `call/ID/leg/N`, `agent/NAME`, `trunk/NAME` or `system`.
    pub subject: String,
    /// RFC 3339 with the zone's offset and microseconds.
    pub time: String,
    /// 20 digits, contiguous in the source.
    pub sequence: String,
    /// `application/json`.
    pub datacontenttype: &'static str,
    /// The body whose it is, where several share an installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What must stay in order together: the call, or else the subject.
    pub partitionkey: String,
    /// Contiguous in the call, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callseq: Option<u32>,
    /// The call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// `confidential` where there is personal data, masked or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataclassification: Option<&'static str>,
    /// `GDPR` where there is personal data, masked or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataregulation: Option<&'static str>,
    /// The fact's own fields.
    pub data: Value,
}

/// What wraps facts: one source, one zone.
#[derive(Clone, Debug)]
pub struct Envelopes {
    source: Arc<str>,
    zone: TimeZone,
}

impl Envelopes {
    /// For facts of `source`, with times in the IANA zone `zone`; nothing if there is no such zone.
    pub fn new(source: &str, zone: &str) -> Option<Envelopes> {
        let zone = TimeZone::get(zone).ok()?;
        Some(Envelopes { source: source.into(), zone })
    }

    /// Which log.
    pub fn source(&self) -> Arc<str> {
        Arc::clone(&self.source)
    }

    /// The event of `fact`; numbers and addresses masked unless `clear`.
    pub fn wrap(&self, mut fact: Fact, clear: bool) -> Event {
        let is_personal = match personal(&mut fact.kind) {
            Personal::Nothing => false,
            Personal::Plain => true,
            Personal::Masked(field, mask) => {
                if !clear {
                    *field = mask(field);
                }
                true
            }
        };
        let subject = subject(&fact);
        Event {
            specversion: "1.0",
            id: self.id(&fact),
            source: self.source(),
            kind: format!("cti.{}.v1", type_name(&fact.kind)),
            time: self.time(fact.at),
            sequence: sequence(fact.number),
            datacontenttype: "application/json",
            body: fact.body,
            partitionkey: fact.call.clone().unwrap_or_else(|| subject.clone()),
            subject,
            callseq: fact.call.is_some().then_some(fact.callseq),
            dataclassification: is_personal.then_some("confidential"),
            dataregulation: is_personal.then_some("GDPR"),
            data: data(&fact.kind),
            correlationid: fact.call,
        }
    }

    /// The zone of event times.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// RFC 3339 with microseconds and the zone's offset at that instant. An instant that no calendar
    /// has is written as the epoch.
    pub fn time(&self, at: Wall) -> String {
        let instant = Timestamp::from_microsecond(at.unix_micros()).unwrap_or(Timestamp::UNIX_EPOCH);
        instant.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
    }

    /// Shaped as a ULID: 48 bits of milliseconds, then 80 bits that hang on source and number alone.
    fn id(&self, fact: &Fact) -> String {
        let millis = u64::try_from(fact.at.unix_micros() / 1000).unwrap_or(0) & 0xffff_ffff_ffff;
        let mut hash = Sha256::new();
        hash.update(self.source.as_bytes());
        hash.update([0]);
        hash.update(fact.number.to_be_bytes());
        let low = hash.finalize().iter().take(10).fold(0u128, |low, byte| low << 8 | u128::from(*byte));
        crockford(u128::from(millis) << 80 | low)
    }
}

fn subject(fact: &Fact) -> String {
    match (&fact.kind, &fact.call) {
        (
            FactKind::AgentState { agent, .. }
            | FactKind::EndpointRegistered { agent, .. }
            | FactKind::EndpointUnregistered { agent, .. },
            _,
        ) => format!("agent/{agent}"),
        (
            FactKind::TrunkUp { trunk }
            | FactKind::TrunkDown { trunk, .. }
            | FactKind::TrunkDegraded { trunk, .. }
            | FactKind::TrunkRemoved { trunk }
            | FactKind::TrunkRegistrationFailed { trunk, .. },
            _,
        ) => {
            format!("trunk/{trunk}")
        }
        (kind, Some(call)) => match leg(kind) {
            Some(leg) => format!("call/{call}/leg/{leg}"),
            None => format!("call/{call}"),
        },
        (_, None) => "system".to_owned(),
    }
}

fn leg(kind: &FactKind) -> Option<u32> {
    match kind {
        FactKind::LegCreated { leg, .. }
        | FactKind::LegRinging { leg }
        | FactKind::LegEarlyMedia { leg }
        | FactKind::LegRefreshFailed { leg, .. }
        | FactKind::LegRerouted { leg, .. }
        | FactKind::LegRouted { leg, .. }
        | FactKind::LegConnected { leg, .. }
        | FactKind::LegCodec { leg, .. }
        | FactKind::LegHeld { leg }
        | FactKind::LegResumed { leg }
        | FactKind::LegEnded { leg, .. }
        | FactKind::LegQuality { leg, .. }
        | FactKind::LegQualitySampled { leg, .. }
        | FactKind::LegProgressHeard { leg, .. }
        | FactKind::ConferenceJoined { leg, .. }
        | FactKind::ConferenceLeft { leg }
        | FactKind::ConferenceMuted { leg, .. }
        | FactKind::SupervisionStarted { leg, .. }
        | FactKind::SupervisionModeChanged { leg, .. }
        | FactKind::SupervisionEnded { leg, .. }
        | FactKind::MediaSilent { leg, .. }
        | FactKind::MediaRestored { leg, .. }
        | FactKind::MediaSecured { leg, .. }
        | FactKind::LegLost { leg, .. }
        | FactKind::LegTakenBack { leg, .. }
        | FactKind::MediaPathFound { leg, .. }
        | FactKind::MediaPathLost { leg, .. }
        | FactKind::MediaHandshakeFailed { leg, .. }
        | FactKind::MediaUnauthenticated { leg, .. }
        | FactKind::DtmfReceived { leg, .. } => Some(*leg),
        _ => None,
    }
}

/// The kind's fields without its tag; the end of a call has its sentences, and its times by their own name.
fn data(kind: &FactKind) -> Value {
    let mut fields = match serde_json::to_value(kind) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.remove("type");
    if let FactKind::CallEnded { end, .. } = kind {
        if let Some(durations) = fields.remove("data") {
            fields.insert("durations".to_owned(), durations);
        }
        fields.insert("sentence_it".to_owned(), json!(sentence_it(end)));
        fields.insert("sentence_en".to_owned(), json!(sentence_en(end)));
    }
    Value::Object(fields)
}

fn crockford(value: u128) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |place: u32| ALPHABET.get((value >> (5 * place)) as usize & 31).copied().unwrap_or(b'0');
    (0..26).rev().map(|place| char::from(digit(place))).collect()
}
