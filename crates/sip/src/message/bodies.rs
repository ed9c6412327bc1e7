//! Bodies of one part or several (RFC 2046 §5.1, RFC 5621): where the session's description is, and whether something
//! stands beside it that its sender wants understood. Operators put ISUP (SIP-I, RFC 3204) and XML of 3GPP there.

use super::{HeaderName, Message, Params};
use std::borrow::Cow;

/// The parts of one multipart body that are looked at.
const PARTS_MAX: usize = 8;
/// How deep multipart bodies may lie in one another.
const DEPTH_MAX: u8 = 2;
/// RFC 2046 §5.1.1.
const BOUNDARY_MAX: usize = 70;

/// What a body says of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description<'a> {
    /// The first SDP.
    pub sdp: Option<&'a [u8]>,
    /// There is a body that we cannot read, and it is not marked `handling=optional` (RFC 3261 §8.2.3).
    pub not_understood: bool,
}

/// A body, or a part of one, with the header fields that speak of it.
struct Part<'a> {
    kind: Cow<'a, str>,
    disposition: Cow<'a, str>,
    /// Its octets are not those of its type.
    is_encoded: bool,
    body: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delimiter {
    None,
    Next,
    Last,
}

impl Message {
    /// The description of the session in the body, whether it is the body or a part of it.
    pub fn description(&self) -> Description<'_> {
        let encoding = self.header(HeaderName::ContentEncoding).unwrap_or("");
        let whole = Part {
            kind: Cow::Borrowed(self.header(HeaderName::ContentType).unwrap_or("")),
            disposition: Cow::Borrowed(self.header_named("Content-Disposition").unwrap_or("")),
            is_encoded: !is_plain(encoding),
            body: self.body(),
        };
        whole.description(0)
    }
}

impl<'a> Part<'a> {
    /// One part of a multipart body: header fields, an empty line, and what they speak of (RFC 2046 §5.1).
    fn of(bytes: &'a [u8]) -> Part<'a> {
        let mut head = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if matches!(line, b"\r\n" | b"\n") {
                let body = bytes.get(head + line.len()..).unwrap_or_default();
                return Part::with_head(bytes.get(..head).unwrap_or_default(), body);
            }
            head += line.len();
        }
        Part::with_head(bytes, &[])
    }

    fn with_head(head: &[u8], body: &'a [u8]) -> Part<'a> {
        let mut part = Part { kind: "".into(), disposition: "".into(), is_encoded: false, body };
        let head =
            String::from_utf8_lossy(head).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
        for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("c") {
                part.kind = value.to_owned().into();
            } else if name.eq_ignore_ascii_case("content-disposition") {
                part.disposition = value.to_owned().into();
            } else if ["content-encoding", "e", "content-transfer-encoding"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            {
                part.is_encoded |= !is_plain(value);
            }
        }
        part
    }

    fn description(&self, depth: u8) -> Description<'a> {
        let (kind, parameters) = split(&self.kind);
        let mut found = Description::default();
        if self.body.is_empty() {
            return found;
        }
        let multipart = kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
        let boundary = parameters.get("boundary").filter(|it| !it.is_empty() && it.len() <= BOUNDARY_MAX);
        match boundary.filter(|_| multipart && depth < DEPTH_MAX && !self.is_encoded) {
            Some(boundary) => found = of_parts(self.body, boundary, depth + 1),
            None if self.is_session(kind) => found.sdp = Some(self.body),
            None => found.not_understood = true,
        }
        // One of these is enough (RFC 2046 §5.1.4).
        let alternatives = kind.eq_ignore_ascii_case("multipart/alternative") && found.sdp.is_some();
        found.not_understood &= !self.is_optional() && !alternatives;
        found
    }

    /// SDP, but not that of a session before the session (RFC 3959).
    fn is_session(&self, kind: &str) -> bool {
        let early = split(&self.disposition).0.eq_ignore_ascii_case("early-session");
        kind.eq_ignore_ascii_case("application/sdp") && !self.is_encoded && !early
    }

    fn is_optional(&self) -> bool {
        let (_, parameters) = split(&self.disposition);
        parameters.get("handling").is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    }
}

fn of_parts<'a>(body: &'a [u8], boundary: &str, depth: u8) -> Description<'a> {
    let parts = parts(body, boundary);
    // What is not looked at is not understood; nor is what has no parts.
    let mut all = Description { sdp: None, not_understood: parts.is_empty() || parts.len() > PARTS_MAX };
    for part in parts.iter().take(PARTS_MAX) {
        let one = Part::of(part).description(depth);
        all.sdp = all.sdp.or(one.sdp);
        all.not_understood |= one.not_understood;
    }
    all
}

/// What stands between the boundary's lines, in one pass: at most one part more than are looked at. A body whose last
/// line is missing ends its last part.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let (mut parts, mut begun, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        let delimiter = delimiter(line, boundary);
        if delimiter != Delimiter::None {
            parts.extend(begun.and_then(|from| body.get(from..at)).map(without_line_end));
            begun = (delimiter == Delimiter::Next).then_some(next);
            if begun.is_none() || parts.len() > PARTS_MAX {
                return parts;
            }
        }
        at = next;
    }
    parts.extend(begun.and_then(|from| body.get(from..)));
    parts
}

fn delimiter(line: &[u8], boundary: &str) -> Delimiter {
    let rest = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes()));
    match rest.map(<[u8]>::trim_ascii_end) {
        Some(b"") => Delimiter::Next,
        Some(b"--") => Delimiter::Last,
        _ => Delimiter::None,
    }
}

/// The line end before a boundary belongs to the boundary (RFC 2046 §5.1.1).
fn without_line_end(part: &[u8]) -> &[u8] {
    part.strip_suffix(b"\r\n").or_else(|| part.strip_suffix(b"\n")).unwrap_or(part)
}

fn split(value: &str) -> (&str, Params<'_>) {
    let (first, parameters) = value.split_once(';').unwrap_or((value, ""));
    (first.trim(), Params::of(parameters))
}

/// Whether octets of this Content-Encoding or Content-Transfer-Encoding are those of the type itself.
fn is_plain(encoding: &str) -> bool {
    encoding.is_empty()
        || ["identity", "binary", "8bit", "7bit"].iter().any(|plain| encoding.eq_ignore_ascii_case(plain))
}
