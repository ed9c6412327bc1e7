//! Where everything stands in a message, found in one pass over its lines.

use super::params::is_token;
use super::{Fault, Field, HeaderName, Message, ParseError, ParseLimits, Span, StartLine};

/// Enough for the messages of ordinary trunks and phones without growing.
const USUAL_FIELDS: usize = 24;

pub(super) fn parse(bytes: Vec<u8>, limits: &ParseLimits) -> Result<Message, ParseError> {
    let bytes = with_textual_head(bytes, limits);
    let mut index = Index::new(limits);
    let text = textual_prefix(&bytes);
    if text.trim_start_matches(['\r', '\n']).is_empty() && text.len() == bytes.len() {
        return Err(ParseError::KeepAlive);
    }
    if bytes.len() > limits.message {
        index.fault(Fault::new(513, "the message is larger than the limit"));
    }
    let Some(start) = index.read_head(text) else {
        return Err(ParseError::Unanswerable { why: "the first line is none of SIP" });
    };
    index.into_message(start, bytes)
}

/// The longest beginning of `bytes` that is text. The head is within it.
fn textual_prefix(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            bytes.get(..error.valid_up_to()).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("")
        }
    }
}

/// Replaces what is not UTF-8 in the head. What is over the limit is cut off first, so that memory stays
/// within thrice the limit.
fn with_textual_head(mut bytes: Vec<u8>, limits: &ParseLimits) -> Vec<u8> {
    // One byte more than allowed stays, to tell that there were too many.
    bytes.truncate(limits.message.saturating_add(1));
    let Err(error) = std::str::from_utf8(&bytes) else { return bytes };
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    if error.valid_up_to() >= head_end {
        return bytes;
    }
    let (head, body) = bytes.split_at_checked(head_end).unwrap_or((&bytes, &[]));
    let mut clean = String::from_utf8_lossy(head).into_owned().into_bytes();
    clean.extend_from_slice(body);
    clean
}

struct Index<'l> {
    limits: &'l ParseLimits,
    fields: Vec<Field>,
    /// Where the line ends stand that a continuation line makes void.
    folds: Vec<usize>,
    /// Whether a line with white space at its beginning continues the last field: not after a broken line.
    continuable: bool,
    body_from: usize,
    /// The first thing that is wrong.
    fault: Option<Fault>,
}

impl<'l> Index<'l> {
    fn new(limits: &'l ParseLimits) -> Index<'l> {
        let fields = Vec::with_capacity(USUAL_FIELDS.min(limits.headers));
        Index { limits, fields, folds: Vec::new(), continuable: false, body_from: 0, fault: None }
    }

    fn fault(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn read_head(&mut self, text: &str) -> Option<StartLine> {
        let mut at = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let mut start = None;
        while let Some(line_end) = text.get(at..).and_then(|rest| rest.find('\n')).map(|end| at + end) {
            let line = text.get(at..line_end)?;
            let next = line_end + 1;
            let Some(line) = line.strip_suffix('\r').filter(|line| !line.contains('\r')) else {
                self.fault(Fault::bad("a line does not end with CR LF"));
                at = next;
                continue;
            };
            if line.is_empty() {
                self.body_from = next;
                return start;
            }
            match start {
                None => start = Some(self.read_start(line, at)?),
                Some(_) => self.read_line(line, at),
            }
            at = next;
        }
        self.fault(Fault::bad("no empty line ends the header fields"));
        self.body_from = text.len();
        start
    }

    fn read_start(&mut self, line: &str, at: usize) -> Option<StartLine> {
        if line.len() > self.limits.header {
            self.fault(Fault::new(513, "the first line is longer than the limit"));
        }
        let (first, rest) = line.split_once(' ')?;
        if first.len() > 4 && first.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("SIP/")) {
            return self.read_status(first, rest, at);
        }
        let (uri, version) = rest.rsplit_once(' ').unwrap_or((rest, ""));
        let uri_at = at + first.len() + 1;
        let version_at = uri_at + uri.len() + 1;
        if !is_token(first) {
            self.fault(Fault::bad("the method is not a token"));
        }
        if uri.is_empty() || uri.contains([' ', '\t']) || !is_version(version) {
            self.fault(Fault::bad("the first line is not METHOD URI SIP/2.0 with single spaces"));
        }
        Some(StartLine::Request {
            method: Span::new(at, at + first.len()),
            uri: Span::new(uri_at, uri_at + uri.len()),
            version: Span::new(version_at, version_at + version.len()),
        })
    }

    fn read_status(&mut self, version: &str, rest: &str, at: usize) -> Option<StartLine> {
        let (digits, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = digits.parse().ok().filter(|status| digits.len() == 3 && (100..700).contains(status));
        if !version.eq_ignore_ascii_case("SIP/2.0") {
            self.fault(Fault::new(505, "the version is not SIP/2.0"));
        }
        let reason_at = at + version.len() + 1 + digits.len() + 1;
        Some(StartLine::Response { status: status?, reason: Span::new(reason_at, reason_at + reason.len()) })
    }

    fn read_line(&mut self, line: &str, at: usize) {
        if line.starts_with([' ', '\t']) {
            return self.continue_field(line, at);
        }
        self.continuable = false;
        let Some((name, value)) = line.split_once(':') else {
            return self.fault(Fault::bad("a header field has no colon"));
        };
        let value_at = at + name.len() + 1;
        let name = name.trim_end_matches([' ', '\t']);
        if !is_token(name) {
            return self.fault(Fault::bad("the name of a header field is not a token"));
        }
        if self.fields.len() >= self.limits.headers {
            return self.fault(Fault::new(513, "there are more header fields than the limit"));
        }
        let value = trimmed_span(value, value_at);
        self.check_length(value);
        self.fields.push(Field { header: HeaderName::of(name), name: Span::new(at, at + name.len()), value });
        self.continuable = true;
    }

    fn continue_field(&mut self, line: &str, at: usize) {
        let Some(field) = self.fields.last_mut().filter(|_| self.continuable) else {
            return self.fault(Fault::bad("a line continues no header field"));
        };
        let more = trimmed_span(line, at);
        if more.is_empty() {
            return;
        }
        if field.value.is_empty() {
            field.value = more;
        } else {
            field.value.to = more.to;
        }
        let value = field.value;
        self.check_length(value);
        self.folds.push(at);
    }

    fn check_length(&mut self, value: Span) {
        if value.range().len() > self.limits.header {
            self.fault(Fault::new(513, "a header field is longer than the limit"));
        }
    }

    fn into_message(mut self, start: StartLine, mut bytes: Vec<u8>) -> Result<Message, ParseError> {
        for fold in &self.folds {
            // A fold is CR LF before white space: two bytes before the line that continues.
            if let Some(line_end) = bytes.get_mut(fold.saturating_sub(2)..*fold) {
                line_end.fill(b' ');
            }
        }
        let body = Span::new(self.body_from, bytes.len());
        let fields = std::mem::take(&mut self.fields);
        let mut message = Message { bytes, start, fields, body };
        if let Ok(Some(length)) = message.content_length() {
            let there = message.body.range().len();
            if length > self.limits.message {
                self.fault(Fault::new(513, "Content-Length is larger than the limit"));
            } else if length > there {
                self.fault(Fault::bad("the body is shorter than Content-Length says"));
            } else {
                message.bytes.truncate(self.body_from + length);
                message.body = Span::new(self.body_from, self.body_from + length);
            }
        }
        match self.fault {
            None => Ok(message),
            Some(fault) if message.is_answerable() => {
                message.body.to = message.body.from;
                Err(ParseError::BadRequest { fault, request: Box::new(message) })
            }
            Some(fault) => Err(ParseError::Unanswerable { why: fault.why }),
        }
    }
}

fn is_version(version: &str) -> bool {
    version.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("SIP/"))
}

/// Where `text`, which begins at `at`, stands without the white space around it.
fn trimmed_span(text: &str, at: usize) -> Span {
    let without_front = text.trim_start_matches([' ', '\t']);
    let from = at + text.len() - without_front.len();
    Span::new(from, from + without_front.trim_end_matches([' ', '\t']).len())
}
