use super::party::bounded;
use crate::message::{HeaderName, Message, Params};

/// What the caller's application sends along for ours (RFC 7433).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToUser {
    /// The data as written: hexadecimal, or text without its quotes.
    pub data: String,
    /// `hex` if it is not said (§4.1).
    pub encoding: String,
    /// The package that knows what it means; empty if it is not said.
    pub purpose: String,
}

/// ISDN carries 128 octets (RFC 7434 §4): twice as many digits, and a little.
const DATA_MAX: usize = 512;
const WORD_MAX: usize = 32;

impl UserToUser {
    /// The first value; nothing if it is empty or longer than any that is meant.
    pub fn of(request: &Message) -> Option<UserToUser> {
        let value = request.list(HeaderName::UserToUser).next()?;
        let (data, params) = value.split_once(';').unwrap_or((value, ""));
        let (data, params) = (data.trim().trim_matches('"'), Params::of(params));
        let word = |name| params.get(name).map(|word| bounded(word, WORD_MAX));
        (!data.is_empty() && data.len() <= DATA_MAX).then(|| UserToUser {
            data: bounded(data, DATA_MAX),
            encoding: word("encoding").unwrap_or_else(|| "hex".to_owned()),
            purpose: word("purpose").unwrap_or_default(),
        })
    }
}
