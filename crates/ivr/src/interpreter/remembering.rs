//! What is to be remembered of a caller who has agreed.

use super::Interpreter;
use crate::Output;

impl Interpreter {
    /// Something has become known of the call: tells whoever runs it, if that changes what is remembered of the caller.
    pub(super) fn follow_consent(&mut self, key: &str) {
        let script = self.script.clone();
        let Some(remember) = &script.flow().remember else { return };
        if *key == remember.consent {
            self.remembers = self.known(key) == "yes";
            self.outputs.push_back(match self.remembers {
                true => Output::Remember { language: self.language.clone(), length: Some(remember.length) },
                false => Output::Forget,
            });
        } else if key == "language" && self.remembers {
            self.outputs.push_back(Output::Remember { language: self.language.clone(), length: None });
        }
    }
}
