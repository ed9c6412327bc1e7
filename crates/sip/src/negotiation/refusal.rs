//! Why an offer or an answer cannot be taken.

use crate::ua::{WarnCode, Warning};

/// Why an offer or an answer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 400 if it is malformed, 488 if it is well formed but not for us.
    pub status: u16,
    /// For people.
    pub why: String,
    /// What it is about.
    pub code: WarnCode,
}

impl Refusal {
    /// It cannot be read, or is not what it should be.
    pub fn malformed(why: impl ToString) -> Refusal {
        Refusal { status: 400, why: why.to_string(), code: WarnCode::Other }
    }

    pub(super) fn not_acceptable(code: WarnCode, why: impl ToString) -> Refusal {
        Refusal { status: 488, why: why.to_string(), code }
    }

    /// As a Warning header says it (RFC 3261 §20.43).
    pub fn warning(&self) -> Warning {
        Warning::new(self.code, self.why.clone())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.why, self.status)
    }
}

impl std::error::Error for Refusal {}
