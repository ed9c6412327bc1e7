//! Why a call or an attempt ends, in the words of two networks: SIP statuses and Q.850 causes, and the
//! Reason header that carries them (RFC 3326, RFC 6432).
//!
//! One table holds both directions (RFC 3398 §7.2.4.1 and §8.2.6.1, ITU-T Q.1912.5 tables 8 and 21). Where
//! those two differ the choice is RFC 3398's, which says more than Q.1912.5's "interworking" (127).

use crate::message::{HeaderName, Message, Params, unescaped};

/// More words than these are not for people.
const WORDS_MAX: usize = 120;

/// One cause of ITU-T Q.850.
struct Row {
    cause: u8,
    /// The status by which a call that ends so is refused.
    status: u16,
    /// The statuses that say no more than this cause.
    from: &'static [u16],
    text: &'static str,
}

const fn row(cause: u8, status: u16, from: &'static [u16], text: &'static str) -> Row {
    Row { cause, status, from, text }
}

const TABLE: &[Row] = &[
    row(1, 404, &[404, 485, 604], "Unallocated number"),
    row(2, 404, &[], "No route to the transit network"),
    row(3, 404, &[], "No route to the destination"),
    row(16, 480, &[487], "Normal call clearing"),
    row(17, 486, &[486, 600], "User busy"),
    row(18, 408, &[480], "No user responding"),
    row(19, 480, &[], "No answer from the user"),
    row(20, 480, &[430], "Subscriber absent"),
    row(21, 403, &[401, 402, 403, 407, 603, 607, 608], "Call rejected"),
    row(22, 410, &[301, 410], "Number changed"),
    row(23, 410, &[300, 302], "Redirection to a new destination"),
    row(25, 483, &[482, 483], "Exchange routing error"),
    row(26, 404, &[], "Non-selected user clearing"),
    row(27, 502, &[], "Destination out of order"),
    row(28, 484, &[484], "Invalid number format"),
    row(29, 501, &[], "Facility rejected"),
    row(31, 480, &[], "Normal, unspecified"),
    row(34, 503, &[], "No circuit available"),
    row(38, 503, &[502], "Network out of order"),
    row(41, 503, &[400, 481, 500, 503], "Temporary failure"),
    row(42, 503, &[], "Switching equipment congestion"),
    row(47, 503, &[], "Resource unavailable"),
    row(55, 403, &[], "Incoming calls barred"),
    row(57, 403, &[], "Bearer capability not authorized"),
    row(58, 503, &[], "Bearer capability not available"),
    row(63, 503, &[405], "Service or option not available"),
    row(65, 488, &[488, 606], "Bearer capability not implemented"),
    row(70, 488, &[], "Only restricted digital information is available"),
    row(79, 501, &[305, 380, 406, 415, 501], "Service or option not implemented"),
    row(87, 403, &[], "User not member of the closed user group"),
    row(88, 503, &[], "Incompatible destination"),
    row(102, 504, &[408, 504], "Recovery on timer expiry"),
    row(111, 500, &[], "Protocol error"),
    row(127, 500, &[], "Interworking, unspecified"),
];

/// The cause of those who say nothing else when they hang up.
pub const NORMAL: u8 = 16;
/// Normal, where no other cause says more: an end by a rule.
pub const NORMAL_UNSPECIFIED: u8 = 31;
/// No line is free.
pub const NO_CIRCUIT: u8 = 34;
/// There would be lines, but not now.
pub const CONGESTION: u8 = 42;
/// Someone else took the call (Q.850 "non-selected user clearing").
pub const ELSEWHERE: u8 = 26;
/// What a SIP device understands of that: it does not show a missed call (RFC 3326 §3.1).
const COMPLETED_ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// The Q.850 cause that says what a final refusal said.
pub fn of_status(status: u16) -> u8 {
    let row = TABLE.iter().find(|row| row.from.contains(&status));
    row.map_or(127, |row| row.cause)
}

/// The status by which a call is refused that ended for a Q.850 cause elsewhere. A cause that nobody
/// defined counts as the first of its class (Q.850 §2.2.5).
pub fn to_status(cause: u8) -> u16 {
    let known = TABLE.iter().find(|row| row.cause == cause);
    known.map_or_else(
        || match cause {
            0..=31 => 480,
            32..=47 => 503,
            48..=63 => 503,
            64..=79 => 501,
            _ => 500,
        },
        |row| row.status,
    )
}

/// The words of a Q.850 cause.
pub fn text(cause: u8) -> &'static str {
    TABLE.iter().find(|row| row.cause == cause).map_or("", |row| row.text)
}

/// The value of a Reason header with this Q.850 cause.
pub(crate) fn reason(cause: u8) -> String {
    match text(cause) {
        "" => format!("Q.850;cause={cause}"),
        text => format!("Q.850;cause={cause};text=\"{text}\""),
    }
}

/// The value of the Reason header of a CANCEL. Devices that ring only know SIP's own way of saying that
/// somebody else answered.
pub(crate) fn reason_of_cancel(cause: u8) -> String {
    if cause == ELSEWHERE {
        return format!("{COMPLETED_ELSEWHERE}, {}", reason(cause));
    }
    reason(cause)
}

/// What the Reason headers of a message say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The Q.850 cause, given itself or meant by a SIP status.
    pub q850: Option<u8>,
    /// The SIP status of a reason of protocol `SIP`.
    pub sip: Option<u16>,
    /// Words for people, if any were written.
    pub text: Option<String>,
}

/// Reads the Reason headers: the first of each protocol counts (RFC 3326 §2).
pub fn given(message: &Message) -> Given {
    let mut given = Given::default();
    for value in message.list(HeaderName::Reason) {
        let Some((protocol, params)) = value.split_once(';') else { continue };
        let params = Params(params);
        let cause = params.get("cause").and_then(|cause| cause.trim().parse::<u16>().ok());
        match protocol.trim().to_ascii_lowercase().as_str() {
            "q.850" if given.q850.is_none() => {
                given.q850 = cause.and_then(|cause| u8::try_from(cause).ok()).filter(|cause| *cause < 128);
            }
            "sip" if given.sip.is_none() => {
                given.sip = cause.filter(|status| (100..700).contains(status));
            }
            _ => continue,
        }
        given.text = given.text.or_else(|| params.get("text").map(words));
    }
    given.q850 = given.q850.or_else(|| given.sip.map(meant_by));
    given
}

/// 2xx in a Reason is "someone else took it" (RFC 3326 §3.1).
fn meant_by(status: u16) -> u8 {
    if (200..300).contains(&status) { ELSEWHERE } else { of_status(status) }
}

fn words(text: &str) -> String {
    unescaped(text).chars().take(WORDS_MAX).collect()
}
