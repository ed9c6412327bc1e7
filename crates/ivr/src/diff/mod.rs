//! What has changed between two versions of a script, in words that an office understands.

mod nodes;
mod settings;
mod words;

use crate::Script;
use crate::script::{Flow, span};
use calendar::InWords;
use std::collections::BTreeMap;

pub use words::summary;

/// One difference: what was, and what is. Something without a past is new, something without a present is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    subject: Subject,
    was: Option<InWords>,
    is: Option<InWords>,
}

/// What can differ.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    /// The title.
    Title,
    /// The node that calls begin in.
    Start,
    /// The language whose sounds stand in.
    Fallback,
    /// How near a human is.
    Promise,
    /// What is remembered of callers who agree.
    Remember,
    /// Where calls begin, and what may be said first, while the desk is closed by command.
    Emergency,
    /// A language that is spoken.
    Language(String),
    /// What is known by a dialled number.
    Number(String),
    /// The order in which the languages are written.
    Languages,
    /// A node, by its name. Both a past and a present: it has got another name.
    Node(String),
    /// What kind of node it is.
    Kind(String),
    /// Where a node leads, by what happens.
    Way(String, InWords),
    /// What a key of a menu offers.
    Key(String, char),
    /// The key of what a menu offers.
    Moved(String, InWords),
    /// What a node says.
    Said(String),
    /// What else a node is told.
    Setting(String, InWords),
    /// The text of a phrase: language and phrase.
    Phrase(String, String),
    /// The sound of a phrase: language and phrase.
    Sound(String, String),
    /// A calendar.
    Calendar(String),
    /// A rule of a calendar.
    Rule(String, InWords),
    /// A look-up.
    LookUp(String),
    /// A part of a look-up.
    Asked(String, InWords),
}

/// All that differs between two versions, in the order of a script: head, nodes, phrases, calendars, look-ups.
pub fn diff(was: &Script, is: &Script) -> Vec<Difference> {
    let mut found = Found::default();
    head(&mut found, was, is);
    nodes::compare(&mut found, was.flow(), is.flow());
    phrases(&mut found, was, is);
    calendars(&mut found, was, is);
    settings::look_ups(&mut found, was.flow(), is.flow());
    found.0
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn differs(&mut self, subject: Subject, was: Option<InWords>, is: Option<InWords>) {
        if was != is {
            self.0.push(Difference { subject, was, is });
        }
    }

    /// Each that is in one of the two tables, or differs.
    fn tables<K: Ord + Clone>(
        &mut self,
        subject: impl Fn(K) -> Subject,
        was: &BTreeMap<K, InWords>,
        is: &BTreeMap<K, InWords>,
    ) {
        let new = is.keys().filter(|key| !was.contains_key(key));
        for key in was.keys().chain(new) {
            self.differs(subject(key.clone()), was.get(key).cloned(), is.get(key).cloned());
        }
    }
}

fn head(found: &mut Found, was: &Script, is: &Script) {
    let text = |text: &str| Some(InWords::same(text));
    found.differs(Subject::Title, text(was.title()), text(is.title()));
    let (was, is) = (was.flow(), is.flow());
    found.differs(Subject::Start, text(start(was)), text(start(is)));
    found.differs(Subject::Promise, Some(promise(was)), Some(promise(is)));
    found.differs(Subject::Remember, remember(was), remember(is));
    found.differs(Subject::Emergency, emergency(was), emergency(is));
    found.tables(Subject::Language, &languages(was), &languages(is));
    let same = languages(was) == languages(is);
    let order = |flow: &Flow| same.then(|| InWords::same(flow.languages.join(" ")));
    found.differs(Subject::Languages, order(was), order(is));
    found.differs(Subject::Fallback, text(&was.fallback_language), text(&is.fallback_language));
    found.tables(Subject::Number, &numbers(was), &numbers(is));
}

fn start(flow: &Flow) -> &str {
    flow.nodes.get(flow.start).map_or("", |node| &node.name)
}

fn promise(flow: &Flow) -> InWords {
    let (keys, within) = (flow.promise.keys, span(flow.promise.within));
    InWords::new(format!("{keys} tasti e {within}"), format!("{keys} keys and {within}"))
}

fn remember(flow: &Flow) -> Option<InWords> {
    let remember = flow.remember.as_ref()?;
    let (consent, days) = (&remember.consent, remember.length.as_secs() / (24 * 3600));
    Some(InWords::new(format!("{consent}, {days} giorni"), format!("{consent}, {days} days")))
}

fn emergency(flow: &Flow) -> Option<InWords> {
    let start = flow.emergency.start.and_then(|id| flow.nodes.get(id)).map(|node| node.name.clone());
    let told = Vec::from_iter(start.iter().chain(&flow.emergency.messages).map(String::as_str)).join(", ");
    (!told.is_empty()).then(|| InWords::same(told))
}

fn languages(flow: &Flow) -> BTreeMap<String, InWords> {
    flow.languages.iter().map(|language| (language.clone(), InWords::same(language.as_str()))).collect()
}

fn numbers(flow: &Flow) -> BTreeMap<String, InWords> {
    let told = |number: &crate::script::Number| {
        let node = flow.nodes.get(number.start).map_or("", |node| &node.name);
        InWords::same(match settings::assignments(&number.set) {
            set if set.is_empty() => node.to_owned(),
            set => format!("{node}, {set}"),
        })
    };
    flow.numbers.iter().map(|(dialled, number)| (dialled.clone(), told(number))).collect()
}

fn phrases(found: &mut Found, was: &Script, is: &Script) {
    let both = |script: &Script| {
        let mut texts = BTreeMap::new();
        let mut sounds = BTreeMap::new();
        for (language, phrase, text, sound) in script.phrases().all() {
            let key = (language.to_owned(), phrase.to_owned());
            texts.insert(key.clone(), InWords::same(text));
            sounds.insert(key, InWords::same(sound.first().map(ToString::to_string).unwrap_or_default()));
        }
        (texts, sounds)
    };
    let ((texts, mut sounds), (texts_now, mut sounds_now)) = (both(was), both(is));
    found.tables(|(language, phrase)| Subject::Phrase(language, phrase), &texts, &texts_now);
    // Of a phrase that is new, or gone, its text is told.
    sounds.retain(|key, _| texts_now.contains_key(key));
    sounds_now.retain(|key, _| texts.contains_key(key));
    found.tables(|(language, phrase)| Subject::Sound(language, phrase), &sounds, &sounds_now);
}

fn calendars(found: &mut Found, was: &Script, is: &Script) {
    let names = |script: &Script| -> BTreeMap<String, InWords> {
        script.calendars().map(|(name, _)| (name.to_owned(), InWords::same(name))).collect()
    };
    found.tables(Subject::Calendar, &names(was), &names(is));
    for (name, calendar) in was.calendars() {
        let Some(now) = is.calendar(name) else { continue };
        found.tables(|rule| Subject::Rule(name.to_owned(), rule), &calendar.rules(), &now.rules());
    }
}
