//! What facts say of scripts and of what callers answer and bring, in words of their own.

use serde::{Deserialize, Serialize};

/// A script that has a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptStarted {
    /// The script.
    pub script: String,
    /// Its version: a hash of its files.
    pub version: String,
}

/// An answer to a question about the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyAnswer {
    /// The node.
    pub node: String,
    /// Which question.
    pub question: String,
    /// The key.
    pub answer: String,
}

/// What a caller's application sent along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallUserData {
    /// As it came.
    pub data: String,
    /// `hex`, as a rule.
    pub encoding: String,
    /// The package that knows what it means, or nothing.
    pub purpose: String,
}
