//! Differences as sentences.

use super::{Difference, Subject};
use calendar::InWords;
use std::collections::BTreeSet;

impl Difference {
    /// In Italian.
    pub fn it(&self) -> String {
        let was = self.was.as_ref().map(|words| words.it.as_str());
        let is = self.is.as_ref().map(|words| words.it.as_str());
        match (&self.subject, was, is) {
            (Subject::Node(name), None, Some(kind)) => format!("nodo «{name}»: aggiunto ({kind})"),
            (Subject::Node(name), Some(kind), None) => format!("nodo «{name}»: tolto ({kind})"),
            (Subject::Node(name), Some(was), _) => format!("nodo «{name}»: prima si chiamava «{was}»"),
            (Subject::Moved(node, offer), Some(was), Some(is)) => {
                format!("nodo «{node}»: «{}» passa dal tasto {was} al tasto {is}", offer.it)
            }
            (Subject::Way(node, way), Some(was), Some(is)) => {
                format!("nodo «{node}»: {} porta a {is} (prima a {was})", way.it)
            }
            (Subject::Language(language), was, _) => {
                format!("lingua «{language}»: {}", if was.is_some() { "tolta" } else { "aggiunta" })
            }
            (Subject::Calendar(name) | Subject::LookUp(name), was, _) => {
                let change = if was.is_some() { "non si usa più" } else { "si usa" };
                let what = if matches!(self.subject, Subject::LookUp(_)) { "domanda" } else { "calendario" };
                format!("{what} «{name}»: {change}")
            }
            (subject, None, Some(is)) => format!("{}: aggiunto «{is}»", place(subject).it),
            (subject, Some(was), None) => format!("{}: tolto (era «{was}»)", place(subject).it),
            (subject, Some(was), Some(is)) => format!("{}: ora «{is}» (prima «{was}»)", place(subject).it),
            (subject, None, None) => place(subject).it,
        }
    }

    /// In English.
    pub fn en(&self) -> String {
        let was = self.was.as_ref().map(|words| words.en.as_str());
        let is = self.is.as_ref().map(|words| words.en.as_str());
        match (&self.subject, was, is) {
            (Subject::Node(name), None, Some(kind)) => format!("node \"{name}\": added ({kind})"),
            (Subject::Node(name), Some(kind), None) => format!("node \"{name}\": removed ({kind})"),
            (Subject::Node(name), Some(was), _) => format!("node \"{name}\": was called \"{was}\""),
            (Subject::Moved(node, offer), Some(was), Some(is)) => {
                format!("node \"{node}\": \"{}\" moves from key {was} to key {is}", offer.en)
            }
            (Subject::Way(node, way), Some(was), Some(is)) => {
                format!("node \"{node}\": {} leads to {is} (before: {was})", way.en)
            }
            (Subject::Language(language), was, _) => {
                format!("language \"{language}\": {}", if was.is_some() { "removed" } else { "added" })
            }
            (Subject::Calendar(name) | Subject::LookUp(name), was, _) => {
                let change = if was.is_some() { "no longer used" } else { "used" };
                let what = if matches!(self.subject, Subject::LookUp(_)) { "look-up" } else { "calendar" };
                format!("{what} \"{name}\": {change}")
            }
            (subject, None, Some(is)) => format!("{}: added \"{is}\"", place(subject).en),
            (subject, Some(was), None) => format!("{}: removed (was \"{was}\")", place(subject).en),
            (subject, Some(was), Some(is)) => {
                format!("{}: now \"{is}\" (before: \"{was}\")", place(subject).en)
            }
            (subject, None, None) => place(subject).en,
        }
    }
}

fn place(subject: &Subject) -> InWords {
    let of = |it: &str, en: &str, name: &str, what: &InWords| {
        InWords::new(format!("{it} «{name}»: {}", what.it), format!("{en} \"{name}\": {}", what.en))
    };
    match subject {
        Subject::Title => InWords::new("titolo", "title"),
        Subject::Start => InWords::new("le chiamate cominciano in", "calls begin in"),
        Subject::Fallback => InWords::new("lingua che supplisce", "fallback language"),
        Subject::Promise => InWords::new("promessa", "promise"),
        Subject::Emergency => InWords::new("chiusura per comando", "closure by command"),
        Subject::Languages => InWords::new("ordine delle lingue", "order of the languages"),
        Subject::Language(name) => of("lingua", "language", name, &InWords::same("")),
        Subject::Number(number) => {
            InWords::new(format!("numero chiamato {number}"), format!("dialled number {number}"))
        }
        Subject::Node(name) | Subject::Moved(name, _) => of("nodo", "node", name, &InWords::same("")),
        Subject::Kind(name) => of("nodo", "node", name, &InWords::new("il tipo", "the kind")),
        Subject::Way(name, way) => of("nodo", "node", name, way),
        Subject::Key(name, key) => {
            of("nodo", "node", name, &InWords::new(format!("il tasto {key}"), format!("key {key}")))
        }
        Subject::Said(name) => of("nodo", "node", name, &InWords::new("che cosa si sente", "what is said")),
        Subject::Setting(name, what) => of("nodo", "node", name, what),
        Subject::Phrase(language, phrase) => {
            of("frase", "phrase", phrase, &InWords::new(format!("in {language}"), format!("in {language}")))
        }
        Subject::Sound(language, phrase) => {
            let what = InWords::new(format!("il suono in {language}"), format!("its sound in {language}"));
            of("frase", "phrase", phrase, &what)
        }
        Subject::Calendar(name) => of("calendario", "calendar", name, &InWords::same("")),
        Subject::Rule(name, rule) => of("calendario", "calendar", name, rule),
        Subject::LookUp(name) => of("domanda", "look-up", name, &InWords::same("")),
        Subject::Asked(name, part) => of("domanda", "look-up", name, part),
    }
}

/// All of it in a line: how many nodes, phrases, calendars and look-ups differ.
pub fn summary(differences: &[Difference]) -> InWords {
    let mut head = 0usize;
    let mut groups: [BTreeSet<(&str, &str)>; 4] = Default::default();
    let [nodes, phrases, calendars, look_ups] = &mut groups;
    for one in differences {
        match &one.subject {
            Subject::Title
            | Subject::Start
            | Subject::Fallback
            | Subject::Promise
            | Subject::Emergency
            | Subject::Language(_)
            | Subject::Languages
            | Subject::Number(_) => head += 1,
            Subject::Node(name)
            | Subject::Kind(name)
            | Subject::Way(name, _)
            | Subject::Key(name, _)
            | Subject::Moved(name, _)
            | Subject::Said(name)
            | Subject::Setting(name, _) => {
                nodes.insert((name, ""));
            }
            Subject::Phrase(language, name) | Subject::Sound(language, name) => {
                phrases.insert((language, name));
            }
            Subject::Calendar(name) | Subject::Rule(name, _) => {
                calendars.insert((name, ""));
            }
            Subject::LookUp(name) | Subject::Asked(name, _) => {
                look_ups.insert((name, ""));
            }
        }
    }
    let counted = [
        (head, ["voce generale", "voci generali"], ["general entry", "general entries"]),
        (nodes.len(), ["nodo", "nodi"], ["node", "nodes"]),
        (phrases.len(), ["frase", "frasi"], ["phrase", "phrases"]),
        (calendars.len(), ["calendario", "calendari"], ["calendar", "calendars"]),
        (look_ups.len(), ["domanda", "domande"], ["look-up", "look-ups"]),
    ];
    let (mut it, mut en) = (Vec::new(), Vec::new());
    for (count, italian, english) in counted.into_iter().filter(|(count, ..)| *count > 0) {
        it.push(number(count, italian));
        en.push(number(count, english));
    }
    if it.is_empty() {
        return InWords::new("nessuna differenza", "no difference");
    }
    InWords::new(it.join(", "), en.join(", "))
}

fn number(count: usize, [one, more]: [&str; 2]) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
