use super::Fault;
use super::params::{Params, take_quoted, trimmed, unescaped};
use crate::uri::{Uri, UriError};
use std::borrow::Cow;

/// A name and an address: From, To, Contact, Route and their like (RFC 3261 §20.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    raw_display: &'a str,
    quoted: bool,
    /// The URI as written, without brackets. `*` in the Contact that takes all bindings back.
    pub uri: &'a str,
    /// The header field's parameters (not the URI's).
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value. White space inside of the brackets and commas in an unquoted name are tolerated;
    /// an open quote and a bare URI with `?` or `,` (RFC 3261 §20) are not.
    pub fn parse(value: &'a str) -> Result<NameAddr<'a>, Fault> {
        let value = trimmed(value);
        let (raw_display, quoted, rest) = match take_quoted(value) {
            Some((inside, rest)) => (inside, true, trimmed(rest)),
            None if value.starts_with('"') => return Err(Fault::bad("a quoted name has no end")),
            None => ("", false, value),
        };
        match rest.split_once('<') {
            Some((name, rest)) => {
                let name = trimmed(name);
                if quoted && !name.is_empty() {
                    return Err(Fault::bad("something stands between the name and its address"));
                }
                if name.contains('"') {
                    return Err(Fault::bad("an unquoted name has a quote in it"));
                }
                let raw_display = if quoted { raw_display } else { name };
                NameAddr::bracketed(raw_display, quoted, rest)
            }
            None if quoted => Err(Fault::bad("an address after a name has no <>")),
            None => NameAddr::bare(rest),
        }
    }

    fn bracketed(raw_display: &'a str, quoted: bool, rest: &'a str) -> Result<NameAddr<'a>, Fault> {
        let (uri, after) = rest.split_once('>').ok_or(Fault::bad("an address has no closing >"))?;
        let (uri, after) = (trimmed(uri), trimmed(after));
        let params = match after.strip_prefix(';') {
            Some(params) => Params(params),
            None if after.is_empty() => Params(""),
            None => return Err(Fault::bad("something that is no parameter stands after an address")),
        };
        NameAddr { raw_display, quoted, uri, params }.not_empty()
    }

    fn bare(value: &'a str) -> Result<NameAddr<'a>, Fault> {
        let (uri, params) = value.split_once(';').unwrap_or((value, ""));
        if uri.contains(['?', ',', '"', '>']) {
            return Err(Fault::bad("an address with ? or , stands without <>"));
        }
        NameAddr { raw_display: "", quoted: false, uri: trimmed(uri), params: Params(params) }.not_empty()
    }

    fn not_empty(self) -> Result<NameAddr<'a>, Fault> {
        if self.uri.is_empty() {
            return Err(Fault::bad("an address is empty"));
        }
        if self.uri.contains([' ', '\t']) {
            return Err(Fault::bad("an address has white space inside"));
        }
        Ok(self)
    }

    /// The name as a person reads it.
    pub fn display(&self) -> Option<Cow<'a, str>> {
        match (self.raw_display.is_empty(), self.quoted) {
            (true, _) => None,
            (false, true) => Some(unescaped(self.raw_display)),
            (false, false) => Some(Cow::Borrowed(self.raw_display)),
        }
    }

    /// The tag of From or To (RFC 3261 §19.3).
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// A parameter of the header field.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The URI, read.
    pub fn parse_uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri)
    }
}
