use super::Party;
use crate::message::{HeaderName, Message, NameAddr};
use crate::uri::Uri;

/// Somebody who sent the call on before it came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// Who; nothing if they do not want to be known.
    pub by: Option<Party>,
    /// Why.
    pub reason: DiversionReason,
    /// How many times, if several of one are written as one (RFC 5806 §5.1).
    pub count: u8,
}

/// Why a call was sent on (RFC 5806 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the word of the RFC")]
pub enum DiversionReason {
    Unknown,
    UserBusy,
    NoAnswer,
    Unavailable,
    Unconditional,
    TimeOfDay,
    DoNotDisturb,
    Deflection,
    FollowMe,
    OutOfService,
    Away,
}

const REASONS: [(&str, DiversionReason); 11] = [
    ("unknown", DiversionReason::Unknown),
    ("user-busy", DiversionReason::UserBusy),
    ("no-answer", DiversionReason::NoAnswer),
    ("unavailable", DiversionReason::Unavailable),
    ("unconditional", DiversionReason::Unconditional),
    ("time-of-day", DiversionReason::TimeOfDay),
    ("do-not-disturb", DiversionReason::DoNotDisturb),
    ("deflection", DiversionReason::Deflection),
    ("follow-me", DiversionReason::FollowMe),
    ("out-of-service", DiversionReason::OutOfService),
    ("away", DiversionReason::Away),
];

impl DiversionReason {
    /// The word of RFC 5806, which facts use too.
    pub fn as_str(self) -> &'static str {
        REASONS.iter().find(|(_, known)| *known == self).map_or("unknown", |(word, _)| word)
    }

    fn of(word: &str) -> DiversionReason {
        let found = REASONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        found.map_or(DiversionReason::Unknown, |(_, reason)| *reason)
    }

    /// RFC 6044 §3.2 maps the causes of RFC 4458 so.
    fn of_cause(cause: u16) -> DiversionReason {
        match cause {
            302 => DiversionReason::Unconditional,
            408 => DiversionReason::NoAnswer,
            480 | 487 => DiversionReason::Deflection,
            486 => DiversionReason::UserBusy,
            503 => DiversionReason::Unavailable,
            _ => DiversionReason::Unknown,
        }
    }

    /// The cause of RFC 4458 that RFC 6044 §3.1 gives it.
    pub fn cause(self) -> u16 {
        match self {
            DiversionReason::UserBusy => 486,
            DiversionReason::NoAnswer => 408,
            DiversionReason::Unavailable | DiversionReason::OutOfService => 503,
            DiversionReason::Deflection => 487,
            DiversionReason::Unconditional
            | DiversionReason::TimeOfDay
            | DiversionReason::DoNotDisturb
            | DiversionReason::FollowMe
            | DiversionReason::Away => 302,
            DiversionReason::Unknown => 404,
        }
    }
}

/// The most that are kept; a call that was sent on more often is a loop that somebody else must cut.
const DIVERSIONS_MAX: usize = 10;
/// The most entries of a history that are looked at.
const ENTRIES_MAX: usize = 2 * DIVERSIONS_MAX;

/// By whom the call was sent here, the first one first: by its history if that tells of any, else by its
/// diversions.
pub(super) fn diversions(request: &Message) -> Vec<Diversion> {
    let history = by_history(request);
    if !history.is_empty() {
        return history;
    }
    // The last one stands first (RFC 5806 §4.3).
    let mut diversions: Vec<Diversion> =
        request.list(HeaderName::Diversion).take(DIVERSIONS_MAX).filter_map(by_diversion).collect();
    diversions.reverse();
    diversions
}

fn by_diversion(value: &str) -> Option<Diversion> {
    let address = NameAddr::parse(value).ok()?;
    let privacy = address.param("privacy").unwrap_or("off");
    let hidden = privacy.eq_ignore_ascii_case("full") || privacy.eq_ignore_ascii_case("uri");
    Some(Diversion {
        by: Party::of(&address).filter(|_| !hidden),
        reason: DiversionReason::of(address.param("reason").unwrap_or("unknown")),
        count: address.param("counter").and_then(|count| count.parse().ok()).unwrap_or(1).max(1),
    })
}

/// An entry whose target has a cause was made by whom the entry before it names (RFC 6044 §3.2, RFC 7131).
fn by_history(request: &Message) -> Vec<Diversion> {
    let values = request.list(HeaderName::HistoryInfo).take(ENTRIES_MAX);
    let entries: Vec<NameAddr<'_>> = values.filter_map(|value| NameAddr::parse(value).ok()).collect();
    let pairs = entries.iter().zip(entries.iter().skip(1));
    let diversions = pairs.filter_map(|(before, entry)| {
        let (before, entry) = (before.parse_uri().ok()?, entry.parse_uri().ok()?);
        let reason = DiversionReason::of_cause(entry.param("cause")?.parse().ok()?);
        let by = Party::of_uri(&before).filter(|_| !wants_privacy(&before));
        Some(Diversion { by, reason, count: 1 })
    });
    diversions.take(DIVERSIONS_MAX).collect()
}

/// `?Privacy=history` in an entry's URI (RFC 7044 §10.1.1).
fn wants_privacy(uri: &Uri<'_>) -> bool {
    let mut fields = uri.headers().unwrap_or("").split('&');
    fields.any(|field| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        name.eq_ignore_ascii_case("privacy") && !value.eq_ignore_ascii_case("none")
    })
}
