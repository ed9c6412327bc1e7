//! The small grammars: names, languages, keys, durations and targets.

use std::time::Duration;

/// Of nodes, phrases, queues, reasons and what is set: `a-z`, then `a-z 0-9 _ -`, at most 40.
pub(crate) fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter))
        && text.len() <= 40
}

pub(crate) const NAME_SHAPE: &str = "use small letters, digits, _ and -, a letter first, 40 at most";

/// Two or three letters (ISO 639), and parts of RFC 5646 after them if need be.
pub(super) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|letter| letter.is_ascii_lowercase())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// What may be dialled: a number, or the user of a SIP URI.
pub(super) fn is_dialled(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+*#_.-".contains(&byte))
}

/// The name of an agent, which is the user of their devices.
pub(super) fn is_account(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+_.-".contains(&byte))
}

/// What a `transport` parameter may say in a SIP URI, and in a SIPS URI, which is never called without TLS.
const SIP: [&str; 5] = ["udp", "tcp", "tls", "ws", "wss"];
const SIPS: [&str; 4] = ["tcp", "tls", "ws", "wss"];

/// Whether a target is a service of the house, in which the call goes on: `service:NUMBER` or `body:NAME`.
pub fn is_service(target: &str) -> bool {
    target.starts_with("service:") || target.starts_with("body:")
}

/// Where a call may be put through to: a service of the house, a number or a SIP URI.
pub(super) fn is_target(text: &str) -> bool {
    match text.split_once(':') {
        Some(("service", number)) => return is_dialled(number),
        Some(("body", body)) => return is_name(body),
        _ => {}
    }
    match (text.strip_prefix("sip:"), text.strip_prefix("sips:")) {
        (Some(rest), _) => text.len() <= 200 && is_reachable(rest, &SIP),
        (_, Some(rest)) => text.len() <= 200 && is_reachable(rest, &SIPS),
        (None, None) => {
            let digits = text.strip_prefix('+').unwrap_or(text);
            (2..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
    }
}

/// What stands in a URI after its scheme.
fn is_reachable(rest: &str, transports: &[&str]) -> bool {
    let visible = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"\\".contains(&byte));
    let mut wanted =
        rest.split([';', '?']).skip(1).filter_map(|parameter| parameter.strip_prefix("transport="));
    let known = wanted.all(|wanted| transports.iter().any(|known| wanted.eq_ignore_ascii_case(known)));
    visible && known && rest.split('@').all(|part| !part.is_empty())
}

/// So many days: `1d` to `730d`.
pub(super) fn days(text: &str) -> Option<Duration> {
    let days: u64 = text.strip_suffix('d').filter(|days| !days.starts_with('+'))?.parse().ok()?;
    (1..=730).contains(&days).then(|| Duration::from_secs(days * 24 * 3600))
}

/// The key of a menu, if `text` is one.
pub(super) fn key(text: &str) -> Option<char> {
    let mut letters = text.chars();
    let key = letters.next().filter(|key| key.is_ascii_digit() || "*#".contains(*key))?;
    letters.next().is_none().then_some(key)
}

/// The phrase that tells the caller to press a key.
pub(crate) fn press(key: char) -> String {
    match key {
        '*' => "press_star".to_owned(),
        '#' => "press_hash".to_owned(),
        digit => format!("press_{digit}"),
    }
}

/// `45s`, `5m` or `1h`, from a second to a day.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let seconds = digits.parse::<u64>().ok()?.checked_mul(seconds)?;
    (1..=24 * 3600).contains(&seconds).then(|| Duration::from_secs(seconds))
}

/// A duration for readers: `8 s`, `5 min`, `1 h`; below a second `200 ms`.
pub(crate) fn span(span: Duration) -> String {
    match span.as_secs() {
        0 => format!("{} ms", span.as_millis()),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let seconds = |text| duration(text).map(|span| span.as_secs());
        assert_eq!(["45s", "5m", "1h", "24h"].map(seconds), [Some(45), Some(300), Some(3600), Some(86400)]);
        for wrong in ["", "s", "5", "5 m", "0s", "-5s", "25h", "5min", "1.5m", "99999999999999999999m", "5é"]
        {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn targets_are_numbers_or_sip_uris() {
        for right in [
            "112",
            "+390612345678",
            "service:0412345",
            "body:venezia",
            "sip:desk@example.org",
            "sips:desk@example.org;transport=tls",
        ] {
            assert!(is_target(right), "{right}");
        }
        for wrong in [
            "",
            "1",
            "desk",
            "+",
            "sip:",
            "sip:@host",
            "sip:a b@host",
            "tel:112",
            "service:",
            "service:a b",
            "body:",
            "body:Venezia",
            "body:venezia/desk",
            "sip:a@host>\r\nX: y",
            "sip:a@host;transport=pigeon",
            "sips:a@host;transport=udp",
        ] {
            assert!(!is_target(wrong), "{wrong}");
        }
    }
}
