//! The small grammar that header fields share: tokens, quoted strings, lists and parameters (RFC 3261 §25.1).

use std::borrow::Cow;

/// The bytes that may stand in a token.
const TOKEN: [bool; 256] = {
    let marks = b"-.!%*_+`'~";
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        table[marks[mark] as usize] = true;
        mark += 1;
    }
    table
};

/// Whether `byte` may stand in a token.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Whether `text` is a token: not empty, and nothing but token characters.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Without the linear white space around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Where the first `wanted` byte stands outside of quotes (and of angle brackets, if `brackets`).
fn find_outside(text: &str, wanted: u8, brackets: bool) -> Option<usize> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'<' if brackets => bracketed = true,
            b'>' if brackets => bracketed = false,
            _ if byte == wanted && !bracketed => return Some(at),
            _ => {}
        }
    }
    None
}

/// Cuts `text` at the first `separator` outside of quotes.
fn cut(text: &str, separator: u8, brackets: bool) -> (&str, Option<&str>) {
    match find_outside(text, separator, brackets) {
        Some(at) => (text.get(..at).unwrap_or(""), text.get(at + 1..)),
        None => (text, None),
    }
}

/// The elements of a comma-separated header field: commas in quotes and in `<>` do not separate, and empty
/// elements are passed over.
#[derive(Clone, Debug)]
pub struct Elements<'a>(Option<&'a str>);

impl<'a> Elements<'a> {
    /// The elements of one header field's value.
    pub fn of(value: &'a str) -> Elements<'a> {
        Elements(Some(value))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while let Some(rest) = self.0 {
            let (element, after) = cut(rest, b',', true);
            self.0 = after;
            let element = trimmed(element);
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// Parameters as they stand after a first semicolon: `a=b;c;d="e"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(pub(crate) &'a str);

impl<'a> Params<'a> {
    /// The parameters written in `text`, without the semicolon before the first.
    pub fn of(text: &'a str) -> Params<'a> {
        Params(text)
    }

    /// As they are written.
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// Each name with its value as written (quotes and all).
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        self.pieces().filter(|piece| !piece.is_empty()).map(|piece| {
            let (name, value) = cut(piece, b'=', false);
            (trimmed(name), value.map(trimmed))
        })
    }

    /// The value of `name`: `Some("")` if it stands there without one. Quotes are taken off; what is
    /// escaped inside of them stays escaped.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let value = value.unwrap_or("");
        Some(value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value))
    }

    /// Whether each parameter has a name that is a token, and quotes are closed.
    pub fn are_well_formed(&self) -> bool {
        self.0.is_empty()
            || (quotes_are_closed(self.0)
                && self.pieces().all(|piece| is_token(trimmed(cut(piece, b'=', false).0))))
    }

    fn pieces(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = Some(self.0);
        std::iter::from_fn(move || {
            let (piece, after) = cut(rest?, b';', false);
            rest = after;
            Some(trimmed(piece))
        })
    }
}

/// Whether every quoted string in `text` ends.
pub(crate) fn quotes_are_closed(text: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    !quoted
}

/// The inside of a quoted string without its backslashes.
pub(crate) fn unescaped(inside: &str) -> Cow<'_, str> {
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let mut plain = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            _ => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

/// Cuts a quoted string off the beginning of `text`: its inside, and what follows.
pub(crate) fn take_quoted(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((inside.get(..at)?, inside.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}
