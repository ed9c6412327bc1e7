use super::Cdr;
use base::Wall;
use facts::{LegRole, millis};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

/// The columns, in order. New ones are only ever added at the end. Times are those of Rome, durations are in
/// milliseconds, `agents` is `name:talk` for each agent who talked, with `;` between.
pub const HEADER: &str = "call,arrived,answered,ended,from,to,service,trunk,language,topic,queue,waited_ms,agents,\
ended_by,cause,sip,q850,total_ms,ivr_ms,talk_ms,other_ms,place,detail,sip_call_id,origin_country,origin_operator,\
origin_kind,withheld,diverted_by,recordings";

/// One record as a line of CSV (RFC 4180) without its line end, by the columns of [`HEADER`].
pub fn csv_row(cdr: &Cdr) -> String {
    csv_line(values(cdr))
}

/// One record as a JSON object with the names of [`HEADER`]. What is not known is null.
pub fn json_row(cdr: &Cdr) -> Value {
    HEADER.split(',').map(str::to_owned).zip(values(cdr)).collect()
}

fn values(cdr: &Cdr) -> [Value; 30] {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Rome").unwrap_or(TimeZone::UTC);
    let time = |wall: Option<Wall>| wall.map(|wall| local_time(wall, &zone)).into();
    let millis = |span| millis(span).into();
    let text = |text: &str| Value::from(text);
    let end = &cdr.end;
    [
        text(&cdr.call),
        time(cdr.arrived),
        time(cdr.answered),
        time(Some(cdr.ended)),
        text(&cdr.from),
        text(&cdr.to),
        text(&cdr.service),
        text(&cdr.trunk),
        text(&cdr.language),
        text(&cdr.topic),
        text(&cdr.queue),
        millis(cdr.queued),
        agents(cdr).into(),
        code(&end.by).into(),
        code(&end.cause).into(),
        end.sip.into(),
        end.q850.into(),
        millis(cdr.total),
        millis(cdr.ivr),
        millis(cdr.talk),
        millis(cdr.other),
        text(&end.place),
        text(&end.detail),
        text(&cdr.sip_call_id),
        text(&cdr.origin.country),
        text(&cdr.origin.operator),
        text(&cdr.origin.kind),
        cdr.origin.withheld.into(),
        text(&cdr.diverted_by.join(";")),
        text(&cdr.recordings.join(";")),
    ]
}

fn agents(cdr: &Cdr) -> String {
    let talked = cdr.legs.iter().filter(|leg| leg.role == LegRole::Agent && !leg.talk.is_zero());
    talked.map(|leg| format!("{}:{}", leg.party, millis(leg.talk))).collect::<Vec<_>>().join(";")
}

/// ISO 8601 with milliseconds and the offset that was in force.
pub(super) fn local_time(wall: Wall, zone: &TimeZone) -> String {
    let Ok(timestamp) = Timestamp::from_microsecond(wall.unix_micros()) else { return String::new() };
    timestamp.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// The day that clocks show there.
pub(super) fn local_day(wall: Wall, zone: &TimeZone) -> Option<Date> {
    let timestamp = Timestamp::from_microsecond(wall.unix_micros()).ok()?;
    Some(timestamp.to_zoned(zone.clone()).date())
}

/// The stable name that the log uses.
pub(super) fn code(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Cells as a line of CSV without its line end. What is null is empty.
pub(super) fn csv_line(cells: impl IntoIterator<Item = Value>) -> String {
    let written = cells.into_iter().map(|value| match value {
        Value::String(text) => cell(&text),
        Value::Null => String::new(),
        other => other.to_string(),
    });
    written.collect::<Vec<_>>().join(",")
}

/// Quotes where the format asks for it. Callers choose some of these texts, and spreadsheets run a text that
/// begins like a formula: such a one gets an apostrophe, except for numbers.
fn cell(text: &str) -> String {
    let mut chars = text.chars();
    let formula = match chars.next() {
        Some('=' | '@' | '\t' | '\r') => true,
        Some('+' | '-') => !chars.all(|digit| digit.is_ascii_digit()),
        _ => false,
    };
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
