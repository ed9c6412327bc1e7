//! What a caller is told that nobody could record as a whole: numbers, as fragments that somebody recorded, in the order
//! in which a language says them. A fragment is the key of a phrase, such as `digit_3`.

/// How a value is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// One digit after the other: telephone numbers, cases, codes. `*`, `#` and a leading `+` are passed over.
    Digits,
}

/// The most characters of a value that are said.
pub const VALUE_MAX: usize = 40;

impl Form {
    /// All forms, by the word that scripts write.
    pub const ALL: [(&'static str, Form); 1] = [("digits", Form::Digits)];

    /// The form of this name.
    pub fn named(name: &str) -> Option<Form> {
        Form::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, form)| form)
    }

    /// Every fragment that saying something in this form in `language` may need. `None` where the grammar of the
    /// language is not known.
    pub fn fragments(self, _language: &str) -> Option<Vec<String>> {
        match self {
            Form::Digits => Some((0..=9).map(|digit| format!("digit_{digit}")).collect()),
        }
    }

    /// The fragments that say `value`, in order. `None` if it is no value of this form.
    pub fn say(self, _language: &str, value: &str) -> Option<Vec<String>> {
        if value.is_empty() || value.len() > VALUE_MAX {
            return None;
        }
        match self {
            Form::Digits => digits(value),
        }
    }
}

fn digits(value: &str) -> Option<Vec<String>> {
    let written = value.strip_prefix('+').unwrap_or(value);
    let keys = written.chars().filter(|key| !"*# ".contains(*key));
    keys.map(|key| key.is_ascii_digit().then(|| format!("digit_{key}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_said_one_by_one() {
        let said = Form::Digits.say("it", "+39 06*1#");
        let keys = ["3", "9", "0", "6", "1"].map(|digit| format!("digit_{digit}"));
        assert_eq!(said.as_deref(), Some(keys.as_slice()));
    }

    #[test]
    fn what_is_no_number_is_not_said() {
        for value in ["", "12a", "٣", &"1".repeat(41)] {
            assert_eq!(Form::Digits.say("it", value), None, "{value}");
        }
    }
}
