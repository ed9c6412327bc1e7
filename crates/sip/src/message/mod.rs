//! Messages, read lazily: [`Message::parse`] owns the bytes and finds where everything stands; the typed
//! accessors read a header field when they are asked for it.

mod bodies;
mod check;
mod fields;
mod header_name;
mod method;
mod name_addr;
mod params;
mod parse;
mod via;

pub use bodies::Description;
pub use header_name::HeaderName;
pub use method::Method;
pub use name_addr::NameAddr;
pub use params::{Elements, Params};
pub(crate) use params::{is_token, is_token_byte, unescaped};
pub(crate) use via::host_and_port;
pub use via::{Rport, Via};

/// The most that a message may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLimits {
    /// Bytes of the whole message.
    pub message: usize,
    /// Header fields.
    pub headers: usize,
    /// Bytes of one header field's value, with its continuation lines, and of the start line.
    pub header: usize,
}

impl Default for ParseLimits {
    fn default() -> ParseLimits {
        ParseLimits { message: 65_535, headers: 256, header: 8_192 }
    }
}

/// What is wrong with a message, and the status that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The status of the answer, if the message is a request and can be answered.
    pub status: u16,
    /// For people.
    pub why: &'static str,
}

impl Fault {
    /// 400 with this reason.
    pub const fn bad(why: &'static str) -> Fault {
        Fault { status: 400, why }
    }

    pub(crate) const fn new(status: u16, why: &'static str) -> Fault {
        Fault { status, why }
    }
}

/// Why bytes are no message.
#[derive(Clone, Debug)]
pub enum ParseError {
    /// Nothing but line ends: somebody keeps a way through a NAT open.
    KeepAlive,
    /// A request that is broken, but whose top Via, From, To, Call-ID and CSeq can be read.
    BadRequest {
        /// What is wrong; `status` is to be answered.
        fault: Fault,
        /// What could be read of it, for [`respond`](crate::write::respond). Its body is empty.
        request: Box<Message>,
    },
    /// A response, an ACK, or no SIP at all: nothing may be sent.
    Unanswerable {
        /// For people.
        why: &'static str,
    },
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ParseError::KeepAlive => f.write_str("a keep-alive"),
            ParseError::BadRequest { fault, .. } => write!(f, "{} ({})", fault.why, fault.status),
            ParseError::Unanswerable { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for ParseError {}

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// RFC 3261 §7.1.
    Request {
        /// The method.
        method: Method<'a>,
        /// The request URI, as written.
        uri: &'a str,
    },
    /// RFC 3261 §7.2.
    Response {
        /// 100 to 699.
        status: u16,
        /// The reason phrase.
        reason: &'a str,
    },
}

/// A SIP request or response: its bytes, and where everything stands in them.
///
/// Header fields are text. Bytes that are not UTF-8 are replaced by U+FFFD when the message is read, and
/// the line ends of folded header fields by spaces; the body stays as it came.
#[derive(Clone)]
pub struct Message {
    bytes: Vec<u8>,
    start: StartLine,
    fields: Vec<Field>,
    body: Span,
}

/// A stretch of a message's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    from: u32,
    to: u32,
}

#[derive(Clone, Copy, Debug)]
enum StartLine {
    Request { method: Span, uri: Span, version: Span },
    Response { status: u16, reason: Span },
}

#[derive(Clone, Copy, Debug)]
struct Field {
    header: HeaderName,
    name: Span,
    value: Span,
}

impl Message {
    /// Finds the parts of one datagram or one framed message, in one pass. The body is cut at
    /// Content-Length (RFC 3261 §18.3); one that is shorter is an error. What the header fields *mean* is
    /// looked at by [`check`](Message::check) and by their accessors.
    pub fn parse(bytes: Vec<u8>, limits: &ParseLimits) -> Result<Message, ParseError> {
        parse::parse(bytes, limits)
    }

    /// The start line.
    pub fn start(&self) -> Start<'_> {
        match self.start {
            StartLine::Request { method, uri, .. } => {
                Start::Request { method: Method::of(self.text(method)), uri: self.text(uri) }
            }
            StartLine::Response { status, reason } => Start::Response { status, reason: self.text(reason) },
        }
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method of a request.
    pub fn method(&self) -> Option<Method<'_>> {
        match self.start {
            StartLine::Request { method, .. } => Some(Method::of(self.text(method))),
            StartLine::Response { .. } => None,
        }
    }

    /// The request URI of a request, as written.
    pub fn uri(&self) -> Option<&str> {
        match self.start {
            StartLine::Request { uri, .. } => Some(self.text(uri)),
            StartLine::Response { .. } => None,
        }
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(status),
        }
    }

    /// The first value of a header field, without the white space around it.
    pub fn header(&self, header: HeaderName) -> Option<&str> {
        self.headers(header).next()
    }

    /// All values of a header field, one for each line, in order.
    pub fn headers(&self, header: HeaderName) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |field| field.header == header).map(|field| self.text(field.value))
    }

    /// The first value of a header field by its name, in whatever case, for those that [`HeaderName`]
    /// does not know.
    pub fn header_named(&self, name: &str) -> Option<&str> {
        match HeaderName::of(name) {
            HeaderName::Other => self
                .fields
                .iter()
                .find(|field| {
                    field.header == HeaderName::Other && self.text(field.name).eq_ignore_ascii_case(name)
                })
                .map(|field| self.text(field.value)),
            known => self.header(known),
        }
    }

    /// The elements of a comma-separated header field over all of its lines, in order.
    pub fn list(&self, header: HeaderName) -> impl Iterator<Item = &str> {
        self.headers(header).flat_map(Elements::of)
    }

    /// Every header field's name (as written) and value, in order.
    pub fn all_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (self.text(field.name), self.text(field.value)))
    }

    /// The body, not longer than Content-Length says.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body.range()).unwrap_or(&[])
    }

    /// The whole message, as it is kept.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn text(&self, span: Span) -> &str {
        self.bytes.get(span.range()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

impl Span {
    /// Messages are far smaller than 4 GiB; one that is not has been refused by its limit.
    fn new(from: usize, to: usize) -> Span {
        let short = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span { from: short(from), to: short(to) }
    }

    fn range(self) -> std::ops::Range<usize> {
        self.from as usize..self.to as usize
    }

    fn is_empty(self) -> bool {
        self.from >= self.to
    }
}
