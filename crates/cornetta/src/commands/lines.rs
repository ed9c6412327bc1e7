//! A fact as one line for a person.

use base::Wall;
use facts::{Fact, FactKind};
use jiff::tz::TimeZone;
use jiff::{Timestamp, tz};

/// One line: number, time, call, type, and what the type holds.
pub(crate) fn fact_line(fact: &Fact) -> String {
    let call = fact.call.as_deref().map_or("-", short);
    format!("{:>7} {} {call:<8} {}", fact.number, time_of_day(fact.at), fact_fields(&fact.kind))
}

/// The type, and what it holds.
pub(crate) fn fact_fields(kind: &FactKind) -> String {
    let value = serde_json::to_value(kind).unwrap_or_default();
    let kind = value.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "type");
    let told: Vec<String> = fields.map(|(name, value)| format!("{name}={}", plain(value))).collect();
    format!("{kind:<22} {}", told.join(" "))
}

/// The last characters of a call's id, which tell it from the others of its time.
pub(crate) fn short(call: &str) -> &str {
    call.get(call.len().saturating_sub(8)..).unwrap_or(call)
}

/// The time in Rome, to the millisecond.
pub(crate) fn time_of_day(at: Wall) -> String {
    in_rome(at, "%H:%M:%S%.3f")
}

/// The day and the time in Rome, to the minute.
pub(crate) fn day_and_time(at: Wall) -> String {
    in_rome(at, "%Y-%m-%d %H:%M")
}

fn in_rome(at: Wall, form: &str) -> String {
    let zone = tz::TimeZoneDatabase::bundled().get("Europe/Rome").unwrap_or(TimeZone::UTC);
    match Timestamp::from_microsecond(at.unix_micros()) {
        Ok(instant) => instant.to_zoned(zone).strftime(form).to_string(),
        Err(_) => at.unix_micros().to_string(),
    }
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
