//! Addresses: sip, sips and tel URIs, and others as opaque text (RFC 3261 §19.1, RFC 3966).

use crate::message::{Params, host_and_port};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The schemes that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`.
    Sip,
    /// `sips:`.
    Sips,
    /// `tel:` (RFC 3966).
    Tel,
    /// Anything else.
    Other,
}

/// What stands for a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name, as written.
    Name(&'a str),
    /// Four numbers.
    V4(Ipv4Addr),
    /// In the URI it stands in brackets.
    V6(Ipv6Addr),
}

/// A URI that was read. It borrows from the text that it was read from.
///
/// `==` is the equality of RFC 3261 §19.1.4, which is *not transitive*: a parameter that only one of two
/// URIs has is passed over.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    text: &'a str,
    scheme: Scheme,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: Option<Host<'a>>,
    port: Option<u16>,
    params: Params<'a>,
    headers: Option<&'a str>,
}

/// Why text is no URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    /// There is no `scheme:`.
    NoScheme,
    /// White space, control characters, `<`, `>` or `"`.
    ForbiddenCharacter,
    /// The user part is empty although there is an `@`.
    EmptyUser,
    /// The host is no name and no address, or the port is no number up to 65535.
    Host,
    /// A parameter without a name.
    Params,
    /// A tel URI without a number.
    Number,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UriError::NoScheme => "the URI does not begin with a scheme, such as sip:",
            UriError::ForbiddenCharacter => "the URI has a character in it that must be escaped as %HH",
            UriError::EmptyUser => "the URI has an @ but no user before it",
            UriError::Host => {
                "the URI's host is no name, IPv4 address or [IPv6 address] with a port up to 65535"
            }
            UriError::Params => "the URI has a parameter without a name",
            UriError::Number => "the tel URI has no number",
        })
    }
}

impl std::error::Error for UriError {}

impl<'a> Uri<'a> {
    /// Reads a URI that stands alone (without `<>` around it).
    pub fn parse(text: &'a str) -> Result<Uri<'a>, UriError> {
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || b"<>\"".contains(&byte)) {
            return Err(UriError::ForbiddenCharacter);
        }
        let (scheme, rest) = split_scheme(text).ok_or(UriError::NoScheme)?;
        let scheme = match scheme {
            name if name.eq_ignore_ascii_case("sip") => Scheme::Sip,
            name if name.eq_ignore_ascii_case("sips") => Scheme::Sips,
            name if name.eq_ignore_ascii_case("tel") => Scheme::Tel,
            _ => Scheme::Other,
        };
        let empty = Uri {
            text,
            scheme,
            user: None,
            password: None,
            host: None,
            port: None,
            params: Params::of(""),
            headers: None,
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => empty.with_sip_parts(rest),
            Scheme::Tel => empty.with_number(rest),
            Scheme::Other => Ok(empty),
        }
    }

    /// Whether `text` begins like a URI of any scheme.
    pub fn has_scheme(text: &str) -> bool {
        split_scheme(text).is_some()
    }

    fn with_sip_parts(mut self, rest: &'a str) -> Result<Uri<'a>, UriError> {
        // `;`, `?` and `/` may stand in the user part, `@` may not: the first one ends it.
        let rest = match rest.split_once('@') {
            Some((userinfo, rest)) => {
                let (user, password) = split_optional(userinfo, ':');
                if user.is_empty() {
                    return Err(UriError::EmptyUser);
                }
                (self.user, self.password) = (Some(user), password);
                rest
            }
            None => rest,
        };
        let (rest, headers) = split_optional(rest, '?');
        let (host, params) = split_optional(rest, ';');
        let (host, port) = host_and_port(host).ok_or(UriError::Host)?;
        self.host = Some(Host::parse(host).ok_or(UriError::Host)?);
        (self.port, self.headers) = (port, headers);
        self.with_params(params)
    }

    fn with_number(mut self, rest: &'a str) -> Result<Uri<'a>, UriError> {
        let (number, params) = split_optional(rest, ';');
        let dialled = |byte: u8| byte.is_ascii_hexdigit() || b"*#".contains(&byte);
        let separator = |byte: u8| b"+-.()".contains(&byte);
        if !number.bytes().any(dialled) || !number.bytes().all(|byte| dialled(byte) || separator(byte)) {
            return Err(UriError::Number);
        }
        self.user = Some(number);
        self.with_params(params)
    }

    fn with_params(mut self, params: Option<&'a str>) -> Result<Uri<'a>, UriError> {
        let Some(params) = params else { return Ok(self) };
        if params.split(';').any(|param| param.is_empty() || param.starts_with('=')) {
            return Err(UriError::Params);
        }
        self.params = Params::of(params);
        Ok(self)
    }

    /// As it was written.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user part as written, or the number of a tel URI.
    pub fn user(&self) -> Option<&'a str> {
        self.user
    }

    /// The user part with its `%HH` resolved. Octets that are no UTF-8 become U+FFFD.
    pub fn user_decoded(&self) -> Option<Cow<'a, str>> {
        self.user.map(percent_decoded)
    }

    /// The password, as written. Nobody should send one.
    pub fn password(&self) -> Option<&'a str> {
        self.password
    }

    /// The host of a sip or sips URI.
    pub fn host(&self) -> Option<Host<'a>> {
        self.host
    }

    /// The port, if it is given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI's parameters.
    pub fn params(&self) -> Params<'a> {
        self.params
    }

    /// One of the URI's parameters; `Some("")` for one without a value, such as `lr`.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// What stands after `?`: header fields for a request made from this URI. Never act on them unseen.
    pub fn headers(&self) -> Option<&'a str> {
        self.headers
    }
}

impl<'a> Host<'a> {
    /// Reads a host; IPv6 addresses need their brackets.
    pub fn parse(text: &'a str) -> Option<Host<'a>> {
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']')?;
            // An error in RFC 3261's grammar made some write three colons (RFC 5118 §4.10).
            return address.parse().or_else(|_| address.replacen(":::", "::", 1).parse()).ok().map(Host::V6);
        }
        if let Ok(address) = text.parse() {
            return Some(Host::V4(address));
        }
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (!text.is_empty() && text.bytes().all(named)).then_some(Host::Name(text))
    }

    /// The address, if it is one and no name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some(IpAddr::V4(*address)),
            Host::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    fn same_as(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Host::Name(one), Host::Name(two)) => one.eq_ignore_ascii_case(two),
            (one, two) => one.ip().is_some() && one.ip() == two.ip(),
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => write!(f, "{address}"),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl PartialEq<Uri<'_>> for Uri<'_> {
    fn eq(&self, other: &Uri<'_>) -> bool {
        if self.scheme != other.scheme {
            return false;
        }
        match self.scheme {
            Scheme::Sip | Scheme::Sips => self.same_sip_parts(other),
            Scheme::Tel => self.same_number(other),
            Scheme::Other => self.text == other.text,
        }
    }
}

/// The parameters that count even if only one of two URIs has them (RFC 3261 §19.1.4).
const NEVER_PASSED_OVER: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl Uri<'_> {
    fn same_sip_parts(&self, other: &Uri<'_>) -> bool {
        let same_host = match (&self.host, &other.host) {
            (Some(one), Some(two)) => one.same_as(two),
            _ => false,
        };
        same_host
            && self.port == other.port
            && same_optional(self.user, other.user, false)
            && same_optional(self.password, other.password, false)
            && self.params_agree_with(other)
            && other.params_agree_with(self)
            && same_headers(self.headers, other.headers)
    }

    fn params_agree_with(&self, other: &Uri<'_>) -> bool {
        // Bounded, so that a long URI full of parameters costs no quadratic time.
        const PARAMS_COMPARED: usize = 32;
        self.params.iter().take(PARAMS_COMPARED).all(|(name, value)| match other.params.get(name) {
            Some(theirs) => same_escaped(value.unwrap_or(""), theirs, true),
            None => !NEVER_PASSED_OVER.iter().any(|known| known.eq_ignore_ascii_case(name)),
        })
    }

    /// RFC 3966 §4: visual separators do not count.
    fn same_number(&self, other: &Uri<'_>) -> bool {
        let digits = |uri: &Uri<'_>| -> Vec<u8> {
            let number = uri.user.unwrap_or("");
            number.bytes().filter(|byte| !b"-.()".contains(byte)).map(|b| b.to_ascii_lowercase()).collect()
        };
        digits(self) == digits(other)
            && same_optional(self.param("phone-context"), other.param("phone-context"), true)
            && same_optional(self.param("ext"), other.param("ext"), true)
    }
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let begins = scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
    (begins && scheme.bytes().all(legal) && !rest.is_empty()).then_some((scheme, rest))
}

fn split_optional(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn same_optional(one: Option<&str>, two: Option<&str>, fold_case: bool) -> bool {
    match (one, two) {
        (None, None) => true,
        (Some(one), Some(two)) => same_escaped(one, two, fold_case),
        _ => false,
    }
}

/// Header fields in a URI are never passed over, but their order does not count.
fn same_headers(one: Option<&str>, two: Option<&str>) -> bool {
    let sorted = |headers: Option<&str>| -> Vec<Vec<(u8, bool)>> {
        let mut fields: Vec<_> = headers
            .unwrap_or("")
            .split('&')
            .filter(|field| !field.is_empty())
            .map(|field| {
                let (name, value) = field.split_once('=').unwrap_or((field, ""));
                octets(name, true).chain([(b'=', true)]).chain(octets(value, false)).collect()
            })
            .collect();
        fields.sort_unstable();
        fields
    };
    sorted(one) == sorted(two)
}

fn same_escaped(one: &str, two: &str, fold_case: bool) -> bool {
    octets(one, fold_case).eq(octets(two, fold_case))
}

/// The octets that a text means, and whether each was a reserved one in its escaped form: a character
/// equals its `%HH` unless it is reserved.
fn octets(text: &str, fold_case: bool) -> impl Iterator<Item = (u8, bool)> {
    decoded(text).map(move |(octet, escaped)| {
        let octet = if fold_case { octet.to_ascii_lowercase() } else { octet };
        (octet, escaped && b";/?:@&=+$,".contains(&octet))
    })
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let octets: Vec<u8> = decoded(text).map(|(octet, _)| octet).collect();
    Cow::Owned(String::from_utf8_lossy(&octets).into_owned())
}

/// Each octet, and whether it was written as `%HH`. A `%` that begins no escape stands for itself.
pub(crate) fn decoded(text: &str) -> impl Iterator<Item = (u8, bool)> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (first, after) = rest.split_first()?;
        if *first == b'%'
            && let [high, low, after @ ..] = after
            && let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
        {
            rest = after;
            return Some(((high * 16 + low) as u8, true));
        }
        rest = after;
        Some((*first, false))
    })
}
