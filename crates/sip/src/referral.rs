//! The words of call transfer: Refer-To with what is escaped in it (RFC 3515 §2.1), Replaces (RFC 3891
//! §6.1) and `message/sipfrag` (RFC 3420).

use crate::message::{HeaderName, Message, NameAddr, Params};
use crate::uri::{Uri, decoded};
use std::fmt;

/// The media type of what a NOTIFY tells of a REFER (RFC 3515 §2.4.5).
pub(crate) const SIPFRAG: &str = "message/sipfrag;version=2.0";

/// Which dialog an INVITE takes the place of, in the words of whoever sends it: `to_tag` is the tag of the
/// side that gets the INVITE (RFC 3891 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// Of the dialog.
    pub call_id: String,
    /// The tag of whoever receives the INVITE.
    pub to_tag: String,
    /// The tag of whom that one talks with.
    pub from_tag: String,
    /// Only if the dialog is not confirmed yet.
    pub early_only: bool,
}

impl Replaces {
    /// Reads one header field's value. Nothing if a tag is missing.
    pub fn parse(value: &str) -> Option<Replaces> {
        let (call_id, params) = value.split_once(';')?;
        let params = Params::of(params);
        let tag = |name| params.get(name).filter(|tag| !tag.is_empty()).map(str::to_owned);
        let call_id = call_id.trim();
        Some(Replaces {
            call_id: (!call_id.is_empty()).then(|| call_id.to_owned())?,
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: params.get("early-only").is_some(),
        })
    }

    /// That of a request: nothing if it has none, an error if it has several or one that cannot be read.
    pub(crate) fn of(request: &Message) -> Result<Option<Replaces>, ()> {
        let mut values = request.list(HeaderName::Replaces);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Replaces::parse(value).map(Some).ok_or(()),
            (Some(_), Some(_)) => Err(()),
        }
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        f.write_str(if self.early_only { ";early-only" } else { "" })
    }
}

/// Whom a REFER names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTo {
    /// The URI without its header fields.
    pub uri: String,
    /// The Replaces in its header fields: an attended transfer (RFC 5589 §7).
    pub replaces: Option<Replaces>,
}

impl ReferTo {
    /// Reads a Refer-To. Nothing if it is no URI, or its method is not INVITE, or its Replaces is broken.
    pub fn parse(value: &str) -> Option<ReferTo> {
        let written = NameAddr::parse(value).ok()?.uri;
        let uri = Uri::parse(written).ok()?;
        let invites = uri.param("method").is_none_or(|method| method.eq_ignore_ascii_case("INVITE"));
        let mut headers = uri.headers().unwrap_or("").split('&').filter_map(|field| field.split_once('='));
        let replaces = headers.find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
        let replaces = match replaces {
            Some((_, value)) => Some(Replaces::parse(&unescaped(value)?)?),
            None => None,
        };
        let uri = written.split_once('?').map_or(written, |(uri, _)| uri).to_owned();
        invites.then_some(ReferTo { uri, replaces })
    }
}

impl fmt::Display for ReferTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.replaces {
            Some(replaces) => write!(f, "<{}?Replaces={}>", self.uri, escaped(&replaces.to_string())),
            None => write!(f, "<{}>", self.uri),
        }
    }
}

/// The status that a `message/sipfrag` begins with.
pub(crate) fn sipfrag_status(body: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(body).ok()?;
    let status = text.trim_start().strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}

/// `%HH` taken off (RFC 3261 §25.1). Nothing if what comes out is no text.
fn unescaped(text: &str) -> Option<String> {
    let octets = decoded(text).map(|(octet, _)| octet).collect();
    String::from_utf8(octets).ok().filter(|plain| !plain.contains(['\r', '\n', '\0']))
}

/// What may not stand in a header field of a URI as `%HH`.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attended_refer_to_carries_its_dialog_and_is_written_as_it_was_read() {
        let text = "<sip:bob@host;transport=tcp?Replaces=a%40b%3Bto-tag%3Dt%3Bfrom-tag%3Df%3Bearly-only&Require=replaces>";
        let read = ReferTo::parse(text).unwrap();
        assert_eq!(read.uri, "sip:bob@host;transport=tcp");
        let replaces = read.replaces.clone().unwrap();
        assert_eq!(replaces.to_string(), "a@b;to-tag=t;from-tag=f;early-only");
        assert_eq!(ReferTo::parse(&read.to_string()), Some(read));
    }

    #[test]
    fn a_refer_to_that_asks_for_something_else_than_a_call_is_none() {
        for broken in [
            "<sip:bob@host;method=SUBSCRIBE>",
            "<sip:bob@host?Replaces=a%40b>",
            "<sip:bob@host?Replaces=a%4>",
            "<sip:bob@host?Replaces=a%0Ab%3Bto-tag%3Dt%3Bfrom-tag%3Df>",
            "bob",
            "",
        ] {
            assert_eq!(ReferTo::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_fragment_begins_with_a_status() {
        assert_eq!(sipfrag_status(b"SIP/2.0 180 Ringing\r\n"), Some(180));
        assert_eq!(sipfrag_status(b"\r\nSIP/2.0 603"), Some(603));
        for broken in [&b"SIP/2.0 99"[..], b"SIP/2.0 999 X", b"HTTP/1.1 200 OK", b"", b"\xff"] {
            assert_eq!(sipfrag_status(broken), None);
        }
    }
}
