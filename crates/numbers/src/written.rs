//! What stands in the user part of a SIP URI or after `tel:` (RFC 3966 §3, RFC 3261 §19.1.6): a number, or a
//! name, with the parameters of a telephone subscriber.

/// A user part with its parameters told apart. Nothing is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// The number or name, with separators and `+` as they came.
    pub subscriber: &'a str,
    parameters: &'a str,
}

/// Parameters that are looked at; a hostile URI's further ones cost nothing.
const PARAMETERS_MAX: usize = 32;
/// The longest value of a parameter that is believed.
const VALUE_MAX: usize = 64;

impl<'a> Written<'a> {
    /// Tells the subscriber and its parameters apart. Of a tel URI, what stands after `tel:`.
    pub fn of(text: &'a str) -> Written<'a> {
        let (subscriber, parameters) = text.split_once(';').unwrap_or((text, ""));
        Written { subscriber: subscriber.trim(), parameters }
    }

    /// A parameter's value, `""` for one without; nothing if it is too long to be meant.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut pieces = self.parameters.split(';').take(PARAMETERS_MAX);
        let value = pieces.find_map(|piece| {
            let (known, value) = piece.split_once('=').unwrap_or((piece, ""));
            known.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        (value.len() <= VALUE_MAX).then_some(value)
    }

    /// Its digits, and whether a `+` stands before them: nothing if it is a name. `*` and `#` count as
    /// digits; visual separators are left out.
    pub(crate) fn dialled(&self) -> Option<(bool, String)> {
        let (plus, rest) = match self.subscriber.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, self.subscriber),
        };
        let mut digits = String::new();
        for letter in rest.chars().take(VALUE_MAX) {
            match letter {
                '0'..='9' | '*' | '#' => digits.push(letter),
                '-' | '.' | '(' | ')' | ' ' | '/' => {}
                _ => return None,
            }
        }
        (!digits.is_empty()).then_some((plus, digits))
    }
}
