//! What is heard: phrases and values in the call's language.

use super::{Interpreter, State};
use crate::script::{Line, Node, Words};
use crate::{Output, Trace, VALUE_MAX};
use media_api::Sound;
use std::sync::Arc;

/// Before the language and the words of a sound that a voice makes.
const SPEECH: &str = "speech/";

/// What may be told of a source: not the words that a voice says, which can be anybody's name.
pub fn shown(source: &str) -> &str {
    let Some(words) = source.strip_prefix(SPEECH) else { return source };
    let language = words.find('/').unwrap_or(words.len());
    source.get(..SPEECH.len() + language).unwrap_or(SPEECH)
}

impl Interpreter {
    pub(super) fn play(&mut self, node: &Node, sounds: Vec<Sound>) {
        self.begin_prompt(node, sounds);
        self.state = State::Playing;
    }

    pub(super) fn begin_prompt(&mut self, node: &Node, sounds: Vec<Sound>) {
        let best = |sound: &Sound| sound.first().map_or(String::new(), |source| shown(source).to_owned());
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
            Words::Text(value) => Self::spoken(&self.value(value), language).into_iter().collect(),
        }
    }

    /// Words that a voice says: one line of so many characters at most.
    fn spoken(text: &str, language: &str) -> Option<Sound> {
        let line: String =
            text.trim().chars().filter(|letter| !letter.is_control()).take(VALUE_MAX).collect();
        let source = format!("{SPEECH}{language}/{line}");
        (!line.is_empty()).then(|| [Arc::from(source)].into_iter().collect())
    }

    /// The sound of `phrase` in the language of `line`.
    pub(super) fn phrase(&self, phrase: &str, line: &Line) -> Option<Sound> {
        self.script.sound(phrase, line.language.as_deref().unwrap_or(&self.language))
    }
}
