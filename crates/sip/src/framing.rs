//! Messages out of a stream (RFC 3261 §18.3, RFC 5626 §4.4.1).

use crate::message::{HeaderName, ParseLimits};
use std::fmt;

/// Cuts a stream into messages: [`push`](StreamFramer::push), then take frames until there is none. However
/// small the pieces are in which it arrives, no byte is scanned again with each of them. No more is kept
/// than one unfinished message and one push.
///
/// After an error nothing more comes. Where Content-Length was at fault, the header fields alone come
/// before the error, so that the request can be answered (RFC 4475 §3.1.2.3).
#[derive(Debug)]
pub struct StreamFramer {
    limits: ParseLimits,
    /// What has not been handed out, from `begin` on.
    bytes: Vec<u8>,
    begin: usize,
    state: State,
    /// We opened the connection, so line ends are answers to our pings.
    opened: bool,
}

/// One thing that came out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, for [`Message::parse`](crate::message::Message::parse).
    Message(Vec<u8>),
    /// A double CR LF between messages; a single CR LF is to be sent back.
    Ping,
    /// A CR LF between messages on a connection that we opened: the answer to a ping of ours.
    Pong,
}

/// Why the rest of a stream cannot be cut. The connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingError {
    /// The header fields do not end within the limit.
    HeadTooLarge,
    /// Content-Length tells of a message larger than the limit.
    MessageTooLarge,
    /// Content-Length is no number, or there are several that differ: where the message ends is unknown.
    ContentLength,
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FramingError::HeadTooLarge => "the header fields are larger than the limit; close the stream",
            FramingError::MessageTooLarge => "the message is larger than the limit; close the stream",
            FramingError::ContentLength => "Content-Length tells no length; close the stream",
        })
    }
}

impl std::error::Error for FramingError {}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between messages. `line_end` tells that a first CR LF of a possible ping has been seen.
    Between { line_end: bool },
    /// In the header fields. No line ends in `line..scanned`. Both count from `begin`.
    Head { line: usize, scanned: usize },
    /// The message ends at `end`, counted from `begin`.
    Body { end: usize },
    /// The head is whole, but where the message ends is not known or not to be waited for.
    BodyUnknown { head: usize, error: FramingError },
    /// Nothing more can be cut; the reason has still to be told.
    Broken(FramingError),
    /// It has been told.
    Over,
}

impl StreamFramer {
    /// A framer for a connection that a peer opened: only who opened it pings (RFC 5626 §4.4.1).
    pub fn new(limits: ParseLimits) -> StreamFramer {
        let state = State::Between { line_end: false };
        StreamFramer { limits, bytes: Vec::new(), begin: 0, state, opened: false }
    }

    /// A framer for a connection that we opened.
    pub fn of_opened(limits: ParseLimits) -> StreamFramer {
        StreamFramer { opened: true, ..StreamFramer::new(limits) }
    }

    /// Takes in what was received. Passed over after an error.
    pub fn push(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Broken(_) | State::Over) {
            return;
        }
        self.bytes.drain(..self.begin);
        self.begin = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether no message has begun that is not whole yet, so that the connection may rest as it is.
    pub fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Between { .. })
    }

    fn pending(&self) -> &[u8] {
        self.bytes.get(self.begin..).unwrap_or(&[])
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let taken = self.pending().get(..length).unwrap_or(&[]).to_vec();
        self.begin += taken.len();
        taken
    }

    /// Skips line ends between messages. Gives a ping or pong, or nothing and the state `Head` if a message begins.
    fn skip_line_ends(&mut self, mut line_end: bool) -> Option<Frame> {
        loop {
            match self.pending() {
                [b'\r', b'\n', ..] => {
                    self.begin += 2;
                    if self.opened {
                        return Some(Frame::Pong);
                    }
                    line_end = !line_end;
                    self.state = State::Between { line_end };
                    if !line_end {
                        return Some(Frame::Ping);
                    }
                }
                [b'\n', ..] => self.begin += 1,
                [] | [b'\r'] => return None,
                _ => {
                    self.state = State::Head { line: 0, scanned: 0 };
                    return None;
                }
            }
        }
    }

    /// Looks for the empty line. `Some` if the state changed.
    fn scan_head(&mut self, mut line: usize, mut scanned: usize) -> Option<()> {
        let pending = self.bytes.get(self.begin..).unwrap_or(&[]);
        while let Some(at) = pending.get(scanned..).and_then(|rest| rest.iter().position(|b| *b == b'\n')) {
            let next = scanned + at + 1;
            if next > self.limits.message {
                break;
            }
            if pending.get(line..next) == Some(b"\r\n") {
                self.state = self.after_head(next);
                return Some(());
            }
            (line, scanned) = (next, next);
        }
        scanned = pending.len();
        if scanned > self.limits.message {
            self.state = State::Broken(FramingError::HeadTooLarge);
            return Some(());
        }
        self.state = State::Head { line, scanned };
        None
    }

    fn after_head(&self, head: usize) -> State {
        let length = match content_length(self.pending().get(..head).unwrap_or(&[])) {
            Ok(length) => length,
            Err(error) => return State::BodyUnknown { head, error },
        };
        match head.checked_add(length).filter(|end| *end <= self.limits.message) {
            Some(end) => State::Body { end },
            None => State::BodyUnknown { head, error: FramingError::MessageTooLarge },
        }
    }
}

impl Iterator for StreamFramer {
    type Item = Result<Frame, FramingError>;

    /// The next frame of what has been pushed; nothing if more is needed for it, or after an error.
    fn next(&mut self) -> Option<Result<Frame, FramingError>> {
        loop {
            match self.state {
                State::Between { line_end } => match self.skip_line_ends(line_end) {
                    Some(ping) => return Some(Ok(ping)),
                    None if matches!(self.state, State::Head { .. }) => {}
                    None => return None,
                },
                State::Head { line, scanned } => self.scan_head(line, scanned)?,
                State::Body { end } if self.pending().len() < end => return None,
                State::Body { end } => {
                    self.state = State::Between { line_end: false };
                    return Some(Ok(Frame::Message(self.take(end))));
                }
                State::BodyUnknown { head, error } => {
                    self.state = State::Broken(error);
                    return Some(Ok(Frame::Message(self.take(head))));
                }
                State::Broken(error) => {
                    (self.bytes, self.begin, self.state) = (Vec::new(), 0, State::Over);
                    return Some(Err(error));
                }
                State::Over => return None,
            }
        }
    }
}

/// Content-Length of a whole head; 0 if there is none.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut values: Vec<Vec<u8>> = Vec::new();
    let mut in_length = false;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let (true, Some(value)) = (in_length, values.last_mut()) {
                value.extend_from_slice(line);
            }
            continue;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or(&[]), parts.next());
        let name = std::str::from_utf8(name.trim_ascii_end()).unwrap_or("");
        in_length = value.is_some() && HeaderName::of(name) == HeaderName::ContentLength;
        if let (true, Some(value)) = (in_length, value) {
            values.push(value.to_vec());
        }
    }
    let mut length = None;
    for value in &values {
        let digits = value.trim_ascii();
        let this = match std::str::from_utf8(digits) {
            Ok(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().unwrap_or(usize::MAX)
            }
            _ => return Err(FramingError::ContentLength),
        };
        if length.is_some_and(|earlier| earlier != this) {
            return Err(FramingError::ContentLength);
        }
        length = Some(this);
    }
    Ok(length.unwrap_or(0))
}
