//! What a network says of early media: the P-Early-Media header (RFC 5009).

use crate::message::Message;

/// The header's name.
pub(crate) const P_EARLY_MEDIA: &str = "P-Early-Media";

/// What is allowed to flow before the final answer, seen from the callee (RFC 5009 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyMedia {
    /// Both ways.
    SendRecv,
    /// From the callee to the caller only.
    SendOnly,
    /// From the caller to the callee only.
    RecvOnly,
    /// Nothing.
    Inactive,
}

impl EarlyMedia {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            EarlyMedia::SendRecv => "sendrecv",
            EarlyMedia::SendOnly => "sendonly",
            EarlyMedia::RecvOnly => "recvonly",
            EarlyMedia::Inactive => "inactive",
        }
    }

    /// Whether the caller is to hear the callee.
    pub fn is_heard(self) -> bool {
        matches!(self, EarlyMedia::SendRecv | EarlyMedia::SendOnly)
    }
}

/// The direction that a message gives, if it gives one.
pub(crate) fn read(message: &Message) -> Option<EarlyMedia> {
    let all = [EarlyMedia::SendRecv, EarlyMedia::SendOnly, EarlyMedia::RecvOnly, EarlyMedia::Inactive];
    words(message).find_map(|word| all.into_iter().find(|known| word.eq_ignore_ascii_case(known.name())))
}

/// Whether the caller's network says that it understands the header.
pub(crate) fn is_supported(message: &Message) -> bool {
    words(message).any(|word| word.eq_ignore_ascii_case("supported"))
}

fn words(message: &Message) -> impl Iterator<Item = &str> {
    message.header_named(P_EARLY_MEDIA).unwrap_or("").split(',').map(str::trim)
}
