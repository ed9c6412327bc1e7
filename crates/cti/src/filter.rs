//! Which facts a reader wants: `call.*,agent.state`.

use std::fmt;

const PATTERNS_MAX: usize = 32;
const PATTERN_LENGTH_MAX: usize = 64;

/// A list of type patterns; a fact is wanted if any of them takes its type. No pattern wants everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Everything,
    /// The part before `*`, its last dot included.
    Family(String),
    Exactly(String),
}

/// What is wrong with a filter, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterError(String);

impl Filter {
    /// From the list's elements.
    pub(crate) fn from_patterns<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Filter, FilterError> {
        let mut read = Vec::new();
        for pattern in patterns {
            if read.len() == PATTERNS_MAX {
                return Err(FilterError(format!("a filter has {PATTERNS_MAX} patterns at most")));
            }
            read.push(Pattern::read(pattern.trim())?);
        }
        Ok(Filter { patterns: read })
    }

    /// From one text, commas between the patterns.
    pub(crate) fn from_text(text: &str) -> Result<Filter, FilterError> {
        if text.trim().is_empty() {
            return Ok(Filter::default());
        }
        Filter::from_patterns(text.split(','))
    }

    /// Whether facts of this type, such as `call.arrived`, are wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.takes(name))
    }
}

impl Pattern {
    fn read(text: &str) -> Result<Pattern, FilterError> {
        let family = text.strip_suffix('*');
        let stem = family.unwrap_or(text);
        let plain = stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.');
        let whole = family.is_none_or(|stem| stem.is_empty() || stem.ends_with('.'));
        if text.is_empty() || text.len() > PATTERN_LENGTH_MAX || !plain || !whole {
            let shown: String = text.chars().take(PATTERN_LENGTH_MAX).collect();
            return Err(FilterError(format!(
                "{shown:?} is not a pattern; write a type such as call.arrived, a family such as call.*, or *"
            )));
        }
        Ok(match family {
            Some("") => Pattern::Everything,
            Some(stem) => Pattern::Family(stem.to_owned()),
            None => Pattern::Exactly(text.to_owned()),
        })
    }

    fn takes(&self, name: &str) -> bool {
        match self {
            Pattern::Everything => true,
            Pattern::Family(stem) => name.starts_with(stem.as_str()),
            Pattern::Exactly(exact) => name == exact,
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_its_family_and_nothing_beside() {
        for (filter, name, wanted) in [
            ("", "call.arrived", true),
            ("*", "call.arrived", true),
            ("call.*", "call.arrived", true),
            ("call.*", "callback.requested", false),
            ("call.arrived", "call.arrived", true),
            ("call.arrived", "call.arrived_again", false),
            ("agent.*, queue.left", "queue.left", true),
            ("agent.*, queue.left", "queue.entered", false),
        ] {
            assert_eq!(Filter::from_text(filter).unwrap().wants(name), wanted, "{filter} {name}");
        }
    }

    #[test]
    fn what_is_not_a_pattern_is_refused() {
        let long = "a".repeat(65);
        let many = ["call.*"; 33].join(",");
        for filter in ["call*", "Call.*", "call.*,", "*.arrived", "call.**", "call arrived", &long, &many] {
            assert!(Filter::from_text(filter).is_err(), "{filter}");
        }
    }
}
