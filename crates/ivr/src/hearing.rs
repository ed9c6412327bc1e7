//! What a caller hears in a node, without a call; and what there is to be heard in every language.

use crate::interpreter::{Interpreter, Said};
use crate::script::Phrases;
use crate::{Entry, Fault, Script, ScriptFiles};
use media_api::Sound;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something that a caller hears, or that nobody can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The phrase; where nothing can be said, the value.
    pub words: String,
    /// In this language.
    pub language: String,
    /// What the phrase says; none where nothing can be said.
    pub text: Option<String>,
    /// What is played; none where nothing is.
    pub sound: Option<Sound>,
}

/// What a call hears that comes to `node` in `language` and of which `known` is known: the very prompts that an
/// [`Interpreter`] plays there. Nothing if there is no such node, or no such language.
pub fn hear(
    script: &Arc<Script>,
    node: &str,
    language: &str,
    known: &BTreeMap<String, String>,
) -> Option<Vec<Heard>> {
    script.languages().find(|known| *known == language)?;
    let node = script.flow().nodes.iter().find(|one| one.name == node)?;
    let mut call = Interpreter::new(Arc::clone(script), Entry::default());
    for (name, value) in known {
        call.tell(name, value);
    }
    call.speak(language);
    Some(call.said_in(node).into_iter().map(|said| heard(script, said)).collect())
}

/// How a caller is told the place `n` in a queue.
pub fn hear_position(script: &Script, language: &str, n: usize) -> Vec<Heard> {
    let (language, phrases) = script.position_phrases(language, n);
    let said = |phrase| Said::Phrase { phrase, language: language.to_owned() };
    phrases.into_iter().map(|phrase| heard(script, said(phrase))).collect()
}

fn heard(script: &Script, said: Said) -> Heard {
    match said {
        Said::Phrase { phrase, language } => {
            let text = script.text(&phrase, &language).map(str::to_owned);
            let sound = script.sound(&phrase, &language);
            Heard { words: phrase, language, text, sound }
        }
        Said::Speech { text, language } => {
            let sound = Interpreter::spoken(&text, &language);
            Heard { words: text.clone(), language, text: sound.is_some().then_some(text), sound }
        }
        Said::Nothing { value, language } => Heard { words: value, language, text: None, sound: None },
    }
}

/// A phrase of a script in one language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wording {
    /// Its key.
    pub phrase: String,
    /// The language.
    pub language: String,
    /// What is said.
    pub text: String,
    /// Where its sound lies, such as `it/welcome`.
    pub source: String,
}

/// All phrases that are written, in all languages, by phrase and language; and the faults of their files. The rest of the
/// script need not be sound.
pub fn wordings(files: &ScriptFiles) -> (Vec<Wording>, Vec<Fault>) {
    let mut faults = Vec::new();
    let phrases = Phrases::read(&files.phrases, &mut faults);
    let mut wordings: Vec<Wording> = phrases
        .all()
        .map(|(language, phrase, text, sound)| Wording {
            phrase: phrase.to_owned(),
            language: language.to_owned(),
            text: text.to_owned(),
            source: sound.first().map(ToString::to_string).unwrap_or_default(),
        })
        .collect();
    wordings.sort();
    (wordings, faults)
}
