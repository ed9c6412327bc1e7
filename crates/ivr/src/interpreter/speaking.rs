//! What is heard: phrases and values in the call's language.

use super::{Interpreter, State};
use crate::script::{Kind, Line, Node, Words, press};
use crate::{Output, Trace, VALUE_MAX};
use media_api::{Sound, speech_of, speech_source};

/// What may be told of a source: not the words that a voice says, which can be anybody's name.
pub fn shown(source: &str) -> &str {
    let Some((_, words)) = speech_of(source) else { return source };
    source.strip_suffix(words).unwrap_or_default().trim_end_matches('/')
}

/// Something to be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A phrase, in this language.
    Phrase { phrase: String, language: String },
    /// Words that a voice says.
    Speech { text: String, language: String },
    /// A value that is none of its form, or of a language whose grammar is not known: what stands around it is said
    /// all the same.
    Nothing { value: String, language: String },
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
        self.sounds_of(self.said(lines))
    }

    pub(super) fn sounds_of(&self, said: Vec<Said>) -> Vec<Sound> {
        let sound = |said| match said {
            Said::Phrase { phrase, language } => self.script.sound(&phrase, &language),
            Said::Speech { text, language } => Self::spoken(&text, &language),
            Said::Nothing { .. } => None,
        };
        said.into_iter().filter_map(sound).collect()
    }

    /// All that a node says: a menu its choices too, each with its key.
    pub(crate) fn said_in(&self, node: &Node) -> Vec<Said> {
        let mut said = self.said(&node.say);
        if let Kind::Menu { choices, .. } = &node.kind {
            for choice in choices {
                for line in &choice.say {
                    said.extend(self.said(std::slice::from_ref(line)));
                    said.push(self.phrase(press(choice.key), line));
                }
            }
        }
        said
    }

    /// Words that a voice says: one line of so many characters at most.
    pub(crate) fn spoken(text: &str, language: &str) -> Option<Sound> {
        let line: String =
            text.trim().chars().filter(|letter| !letter.is_control()).take(VALUE_MAX).collect();
        (!line.is_empty()).then(|| Sound::from([speech_source(language, &line)]))
    }

    pub(super) fn said(&self, lines: &[Line]) -> Vec<Said> {
        let mut said = Vec::new();
        for line in lines {
            match &line.words {
                Words::Phrase(phrase) => said.push(self.phrase(phrase.clone(), line)),
                Words::Text(value) => {
                    let (text, language) = (self.value(value), self.language_of(line).to_owned());
                    said.push(Said::Speech { text, language });
                }
                Words::Known { form, value } => {
                    let (value, language) = (self.value(value), self.language_of(line));
                    match form.say(language, &value) {
                        Some(fragments) => {
                            said.extend(fragments.into_iter().map(|fragment| self.phrase(fragment, line)));
                        }
                        None => said.push(Said::Nothing { value, language: language.to_owned() }),
                    }
                }
            }
        }
        said
    }

    fn phrase(&self, phrase: String, line: &Line) -> Said {
        Said::Phrase { phrase, language: self.language_of(line).to_owned() }
    }

    fn language_of<'l>(&'l self, line: &'l Line) -> &'l str {
        line.language.as_deref().unwrap_or(&self.language)
    }
}
