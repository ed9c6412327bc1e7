//! The fragments of one value while a grammar puts them together.

use std::fmt;

/// The key of a phrase, without memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// `thousand`
    Word(&'static str),
    /// `number_23`
    Numbered(&'static str, u32),
    /// `number_21_f`: another form of the same number.
    Formed(&'static str, u32, &'static str),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Word(word) => f.write_str(word),
            Key::Numbered(name, n) => write!(f, "{name}_{n}"),
            Key::Formed(name, n, form) => write!(f, "{name}_{n}_{form}"),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Said(Vec<Key>);

impl Said {
    pub(crate) fn word(&mut self, word: &'static str) {
        self.0.push(Key::Word(word));
    }

    pub(crate) fn numbered(&mut self, name: &'static str, n: u32) {
        self.0.push(Key::Numbered(name, n));
    }

    /// A number that has a recording of its own: 0 to 99, and whatever round numbers the language has.
    pub(crate) fn whole(&mut self, n: u32) {
        self.0.push(Key::Numbered(stem(n), n));
    }

    /// The same in another form, such as the feminine.
    pub(crate) fn whole_in(&mut self, n: u32, form: &'static str) {
        self.0.push(Key::Formed(stem(n), n, form));
    }

    /// 0 to 999 where hundreds have recordings of their own and nothing stands between them and the rest.
    pub(crate) fn up_to_999(&mut self, n: u32) {
        if n >= 100 {
            self.whole(n - n % 100);
        }
        if !n.is_multiple_of(100) || n == 0 {
            self.whole(n % 100);
        }
    }

    pub(crate) fn in_order(&self) -> &[Key] {
        &self.0
    }

    /// Each once, sorted.
    pub(crate) fn different(mut self) -> Vec<Key> {
        self.0.sort_unstable();
        self.0.dedup();
        self.0
    }
}

fn stem(n: u32) -> &'static str {
    if n < 10 { "digit" } else { "number" }
}
