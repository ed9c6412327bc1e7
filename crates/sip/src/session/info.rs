//! Keys by INFO: `application/dtmf-relay` and `application/dtmf`, which nobody standardised and many send.

use crate::message::Message;
use std::time::Duration;

const USUAL: Duration = Duration::from_millis(160);
const LONGEST: Duration = Duration::from_secs(10);

/// What an INFO says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Info {
    /// A key.
    Digit { digit: char, held: Duration },
    /// Nothing that concerns us: 200.
    Empty,
    /// A key that is none: 400.
    Broken,
    /// A body that we do not read: 415.
    Unknown,
}

/// Reads the body.
pub(super) fn read(request: &Message) -> Info {
    if request.body().is_empty() {
        return Info::Empty;
    }
    let text = String::from_utf8_lossy(request.body());
    match request.content_type().map(str::to_ascii_lowercase).as_deref() {
        Some("application/dtmf-relay") => relay(&text),
        Some("application/dtmf") => match digit_of(text.trim()) {
            Some(digit) => Info::Digit { digit, held: USUAL },
            None => Info::Broken,
        },
        _ => Info::Unknown,
    }
}

fn relay(text: &str) -> Info {
    let (mut digit, mut held) = (None, USUAL);
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("signal") {
            digit = digit_of(value.trim());
        } else if name.trim().eq_ignore_ascii_case("duration")
            && let Ok(millis) = value.trim().parse()
        {
            held = Duration::from_millis(millis).min(LONGEST);
        }
    }
    digit.map_or(Info::Broken, |digit| Info::Digit { digit, held })
}

/// A key as itself, or by its number in RFC 4733 §3.2, which some senders write.
fn digit_of(text: &str) -> Option<char> {
    let mut characters = text.chars();
    match (characters.next()?.to_ascii_uppercase(), characters.next()) {
        (key @ ('0'..='9' | '*' | '#' | 'A'..='D'), None) => Some(key),
        ('1', Some(_)) => match text {
            "10" => Some('*'),
            "11" => Some('#'),
            "12" => Some('A'),
            "13" => Some('B'),
            "14" => Some('C'),
            "15" => Some('D'),
            _ => None,
        },
        _ => None,
    }
}
