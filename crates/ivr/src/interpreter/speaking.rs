//! What is heard: phrases and values in the call's language.

use super::{Interpreter, State};
use crate::script::{Line, Node, Words};
use crate::{Output, Trace};
use media_api::Sound;

impl Interpreter {
    pub(super) fn play(&mut self, node: &Node, sounds: Vec<Sound>) {
        self.begin_prompt(node, sounds);
        self.state = State::Playing;
    }

    pub(super) fn begin_prompt(&mut self, node: &Node, sounds: Vec<Sound>) {
        let best = |sound: &Sound| sound.first().map_or(String::new(), |source| source.to_string());
        let prompts = sounds.iter().map(best).collect();
        self.trace(Trace::PromptStarted { node: node.name.clone(), prompts });
        self.outputs.push_back(Output::Play { sounds });
    }

    pub(super) fn sounds(&self, lines: &[Line]) -> Vec<Sound> {
        lines.iter().flat_map(|line| self.line(line)).collect()
    }

    /// The sounds of one line. A value that is none of its form is passed over: what stands around it is said all the
    /// same.
    pub(super) fn line(&self, line: &Line) -> Vec<Sound> {
        let language = line.language.as_deref().unwrap_or(&self.language);
        match &line.words {
            Words::Phrase(phrase) => self.phrase(phrase, line).into_iter().collect(),
            Words::Known { form, value } => {
                let fragments = form.say(language, &self.value(value)).unwrap_or_default();
                fragments.iter().filter_map(|fragment| self.phrase(fragment, line)).collect()
            }
        }
    }

    /// The sound of `phrase` in the language of `line`.
    pub(super) fn phrase(&self, phrase: &str, line: &Line) -> Option<Sound> {
        self.script.sound(phrase, line.language.as_deref().unwrap_or(&self.language))
    }
}
