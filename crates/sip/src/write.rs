//! Writing messages. Whatever is put in, one header field stays one header field: line ends in values
//! become spaces, so nobody can smuggle another one in.

use crate::message::{HeaderName, Message, Rport, Via, is_token, is_token_byte};
use std::fmt::{self, Display, Write as _};
use std::net::SocketAddr;

/// A message that is being written.
#[derive(Clone, Debug)]
pub struct Writer {
    head: Vec<u8>,
    body: Vec<u8>,
}

/// Enough for the head of an ordinary INVITE and its body.
const USUAL_SIZE: usize = 1_400;

impl Writer {
    /// Begins a request. What may not stand in a method is left out; what may not stand in a URI is escaped.
    pub fn request(method: &str, uri: &str) -> Writer {
        let mut head = Vec::with_capacity(USUAL_SIZE);
        head.extend(method.bytes().filter(|byte| is_token_byte(*byte)));
        head.push(b' ');
        push_uri(&mut head, uri);
        head.extend_from_slice(b" SIP/2.0\r\n");
        Writer { head, body: Vec::new() }
    }

    /// Begins a response. An empty `reason` becomes the usual one.
    pub fn response(status: u16, reason: &str) -> Writer {
        let reason = if reason.is_empty() { reason_phrase(status) } else { reason };
        let mut writer = Writer { head: Vec::with_capacity(USUAL_SIZE), body: Vec::new() };
        writer.head.extend_from_slice(b"SIP/2.0 ");
        writer.push(format_args!("{status:03} {reason}"));
        writer.head.extend_from_slice(b"\r\n");
        writer
    }

    /// Adds a header field. A `name` that is no token after what may not stand in it is left out, and
    /// Content-Length, which [`finish`](Writer::finish) writes, add nothing.
    pub fn header(mut self, name: &str, value: impl Display) -> Writer {
        let before = self.head.len();
        if is_token(name) {
            self.head.extend_from_slice(name.as_bytes());
        } else {
            self.head.extend(name.bytes().filter(|byte| is_token_byte(*byte)));
        }
        if self.head.get(before..).is_none_or(|named| named.is_empty() || is_content_length(named)) {
            self.head.truncate(before);
            return self;
        }
        self.head.extend_from_slice(b": ");
        self.push(format_args!("{value}"));
        self.head.extend_from_slice(b"\r\n");
        self
    }

    /// Copies all values of a header field of `from`, in order.
    pub fn headers_of(self, from: &Message, header: HeaderName) -> Writer {
        from.headers(header).fold(self, |writer, value| writer.header(header.as_str(), value))
    }

    /// Sets the body and adds Content-Type. To be called once at most.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Writer {
        let mut writer = self.header("Content-Type", content_type);
        writer.body = body.into();
        writer
    }

    /// The message, with its Content-Length.
    pub fn finish(mut self) -> Vec<u8> {
        let length = self.body.len();
        self.push(format_args!("Content-Length: {length}"));
        self.head.extend_from_slice(b"\r\n\r\n");
        self.head.append(&mut self.body);
        self.head
    }

    fn push(&mut self, text: fmt::Arguments<'_>) {
        let before = self.head.len();
        // Neither this sink nor the values that are written into it can fail.
        let _ = Raw(&mut self.head).write_fmt(text);
        keep_on_one_line(self.head.get_mut(before..).unwrap_or_default());
    }
}

/// Appends to a Vec, which cannot fail.
struct Raw<'a>(&'a mut Vec<u8>);

impl fmt::Write for Raw<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Makes spaces of line ends and NULs. Almost no text has a control character at all, and one comparison a
/// byte tells: only the rare rest is looked at again.
fn keep_on_one_line(text: &mut [u8]) {
    if text.iter().fold(false, |any, byte| any | (*byte < b' ')) {
        for byte in text {
            *byte = if matches!(*byte, b'\r' | b'\n' | 0) { b' ' } else { *byte };
        }
    }
}

/// Long or compact (RFC 3261 §20).
fn is_content_length(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"Content-Length") || name.eq_ignore_ascii_case(b"l")
}

fn push_uri(head: &mut Vec<u8>, uri: &str) {
    if uri.bytes().all(|byte| byte > b' ' && byte != 0x7f && !b"<>\"".contains(&byte)) {
        return head.extend_from_slice(uri.as_bytes());
    }
    for byte in uri.bytes() {
        if byte <= b' ' || byte == 0x7f || b"<>\"".contains(&byte) {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            head.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        } else {
            head.push(byte);
        }
    }
}

/// Begins the response to `request` that came from `source` (RFC 3261 §8.2.6): all Via with `received` and
/// `rport` filled into the topmost (RFC 3261 §18.2.1, RFC 3581 §4), From, To with `to_tag` if it has no tag,
/// Call-ID, CSeq, and the Timestamp in a 100. Record-Route is added by [`Writer::headers_of`].
pub fn respond(request: &Message, status: u16, source: SocketAddr, to_tag: Option<&str>) -> Writer {
    let mut writer = Writer::response(status, "");
    let mut values = request.list(HeaderName::Via);
    if let Some(top) = values.next() {
        writer = match Via::parse(top) {
            Ok(via) => writer.header("Via", ViaFrom { value: top, via, source }),
            Err(_) => writer.header("Via", top),
        };
    }
    writer = values.fold(writer, |writer, value| writer.header("Via", value));
    writer = writer.headers_of(request, HeaderName::From);
    let to = request.header(HeaderName::To).unwrap_or("");
    writer = match (request.to().map(|to| to.tag().is_some()), to_tag) {
        (Ok(false), Some(tag)) => writer.header("To", format_args!("{to};tag={tag}")),
        _ => writer.header("To", to),
    };
    writer = writer.headers_of(request, HeaderName::CallId).headers_of(request, HeaderName::CSeq);
    if status == 100 {
        writer = writer.headers_of(request, HeaderName::Timestamp);
    }
    writer
}

/// A Via with its `received` and `rport`. What the sender itself wrote there is not believed.
struct ViaFrom<'a> {
    value: &'a str,
    via: Via<'a>,
    source: SocketAddr,
}

impl Display for ViaFrom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.value.split(';').next().unwrap_or("").trim_end())?;
        for (name, value) in self.via.params.iter() {
            if name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport") {
                continue;
            }
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        let ip = self.source.ip().to_canonical();
        let sent_by = crate::uri::Host::parse(self.via.host).and_then(|host| host.ip());
        let asked = self.via.rport() != Rport::Absent;
        if asked || sent_by != Some(ip) {
            write!(f, ";received={ip}")?;
        }
        if asked {
            write!(f, ";rport={}", self.source.port())?;
        }
        Ok(())
    }
}

/// The reason phrase that RFC 3261 §21 and its extensions give a status; that of its class for others.
pub fn reason_phrase(status: u16) -> &'static str {
    let found = PHRASES.binary_search_by_key(&status, |(known, _)| *known);
    found.ok().and_then(|at| PHRASES.get(at)).map_or_else(|| phrase_of_class(status), |(_, phrase)| phrase)
}

fn phrase_of_class(status: u16) -> &'static str {
    match status / 100 {
        1 => "Progress",
        2 => "OK",
        3 => "Redirection",
        4 => "Request Failure",
        5 => "Server Failure",
        _ => "Global Failure",
    }
}

/// By rising status.
const PHRASES: [(u16, &str); 61] = [
    (100, "Trying"),
    (180, "Ringing"),
    (181, "Call Is Being Forwarded"),
    (182, "Queued"),
    (183, "Session Progress"),
    (199, "Early Dialog Terminated"),
    (200, "OK"),
    (202, "Accepted"),
    (204, "No Notification"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Moved Temporarily"),
    (305, "Use Proxy"),
    (380, "Alternative Service"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (410, "Gone"),
    (412, "Conditional Request Failed"),
    (413, "Request Entity Too Large"),
    (414, "Request-URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Unsupported URI Scheme"),
    (420, "Bad Extension"),
    (421, "Extension Required"),
    (422, "Session Interval Too Small"),
    (423, "Interval Too Brief"),
    (428, "Use Identity Header"),
    (429, "Provide Referrer Identity"),
    (433, "Anonymity Disallowed"),
    (439, "First Hop Lacks Outbound Support"),
    (480, "Temporarily Unavailable"),
    (481, "Call/Transaction Does Not Exist"),
    (482, "Loop Detected"),
    (483, "Too Many Hops"),
    (484, "Address Incomplete"),
    (485, "Ambiguous"),
    (486, "Busy Here"),
    (487, "Request Terminated"),
    (488, "Not Acceptable Here"),
    (489, "Bad Event"),
    (491, "Request Pending"),
    (493, "Undecipherable"),
    (494, "Security Agreement Required"),
    (500, "Server Internal Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Server Time-out"),
    (505, "Version Not Supported"),
    (513, "Message Too Large"),
    (600, "Busy Everywhere"),
    (603, "Decline"),
    (604, "Does Not Exist Anywhere"),
    (606, "Not Acceptable"),
];
