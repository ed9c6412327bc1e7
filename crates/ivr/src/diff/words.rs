//! Differences as sentences.

use super::{Difference, Subject};
use calendar::InWords;
use std::collections::BTreeSet;

impl Difference {
    /// As a sentence.
    pub fn told(&self) -> InWords {
        match &self.subject {
            Subject::Title => self.changed("titolo", "title"),
            Subject::Start => self.changed("le chiamate cominciano in", "calls begin in"),
            Subject::Fallback => self.changed("lingua che supplisce", "fallback language"),
            Subject::Promise => self.changed("promessa", "promise"),
            Subject::Remember => self.changed("si ricorda la lingua", "the language is remembered"),
            Subject::Emergency => self.changed("chiusura per comando", "closure by command"),
            Subject::Languages => self.changed("ordine delle lingue", "order of the languages"),
            Subject::Language(name) => {
                of(LANGUAGE, name, self.came(("aggiunta", "added"), ("tolta", "removed")))
            }
            Subject::Number(number) => {
                self.changed(&format!("numero chiamato {number}"), &format!("dialled number {number}"))
            }
            Subject::Node(name) => of(NODE, name, self.node()),
            Subject::Kind(name) => of(NODE, name, self.changed("il tipo", "the kind")),
            Subject::Way(name, way) => of(NODE, name, self.way(way)),
            Subject::Key(name, key) => {
                of(NODE, name, self.changed(&format!("il tasto {key}"), &format!("key {key}")))
            }
            Subject::Moved(name, offer) => of(NODE, name, self.moved(offer)),
            Subject::Said(name) => of(NODE, name, self.changed("che cosa si sente", "what is said")),
            Subject::Setting(name, what) => of(NODE, name, self.changed(&what.it, &what.en)),
            Subject::Phrase(language, phrase) => {
                let place = format!("in {language}");
                of(PHRASE, phrase, self.changed(&place, &place))
            }
            Subject::Sound(language, phrase) => {
                let (it, en) = (format!("il suono in {language}"), format!("its sound in {language}"));
                of(PHRASE, phrase, self.changed(&it, &en))
            }
            Subject::Calendar(name) => of(CALENDAR, name, self.used()),
            Subject::Rule(name, rule) => of(CALENDAR, name, self.changed(&rule.it, &rule.en)),
            Subject::LookUp(name) => of(LOOK_UP, name, self.used()),
            Subject::Asked(name, part) => of(LOOK_UP, name, self.changed(&part.it, &part.en)),
        }
    }

    fn changed(&self, it: &str, en: &str) -> InWords {
        match (&self.was, &self.is) {
            (None, None) => InWords::new(it, en),
            (None, Some(is)) => {
                InWords::new(format!("{it}: aggiunto «{}»", is.it), format!("{en}: added \"{}\"", is.en))
            }
            (Some(was), None) => InWords::new(
                format!("{it}: tolto (era «{}»)", was.it),
                format!("{en}: removed (was \"{}\")", was.en),
            ),
            (Some(was), Some(is)) => InWords::new(
                format!("{it}: ora «{}» (prima «{}»)", is.it, was.it),
                format!("{en}: now \"{}\" (before: \"{}\")", is.en, was.en),
            ),
        }
    }

    /// What is there or not, and nothing else.
    fn came(&self, came: (&str, &str), gone: (&str, &str)) -> InWords {
        let (it, en) = if self.was.is_some() { gone } else { came };
        InWords::new(it, en)
    }

    fn used(&self) -> InWords {
        self.came(("si usa", "used"), ("non si usa più", "no longer used"))
    }

    fn node(&self) -> InWords {
        match (&self.was, &self.is) {
            (Some(was), Some(_)) => {
                InWords::new(format!("prima si chiamava «{}»", was.it), format!("was called \"{}\"", was.en))
            }
            (was, is) => {
                let kind = is.as_ref().or(was.as_ref()).map_or("", |kind| &kind.en);
                let change = self.came(("aggiunto", "added"), ("tolto", "removed"));
                InWords::new(format!("{} ({kind})", change.it), format!("{} ({kind})", change.en))
            }
        }
    }

    fn way(&self, way: &InWords) -> InWords {
        let (Some(was), Some(is)) = (&self.was, &self.is) else { return self.changed(&way.it, &way.en) };
        InWords::new(
            format!("{} porta a {} (prima a {})", way.it, is.it, was.it),
            format!("{} leads to {} (before: {})", way.en, is.en, was.en),
        )
    }

    fn moved(&self, offer: &InWords) -> InWords {
        let (Some(was), Some(is)) = (&self.was, &self.is) else { return self.changed(&offer.it, &offer.en) };
        InWords::new(
            format!("«{}» passa dal tasto {} al tasto {}", offer.it, was.it, is.it),
            format!("\"{}\" moves from key {} to key {}", offer.en, was.en, is.en),
        )
    }
}

const LANGUAGE: (&str, &str) = ("lingua", "language");
const NODE: (&str, &str) = ("nodo", "node");
const PHRASE: (&str, &str) = ("frase", "phrase");
const CALENDAR: (&str, &str) = ("calendario", "calendar");
const LOOK_UP: (&str, &str) = ("domanda", "look-up");

fn of((it, en): (&str, &str), name: &str, change: InWords) -> InWords {
    InWords::new(format!("{it} «{name}»: {}", change.it), format!("{en} \"{name}\": {}", change.en))
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
            | Subject::Remember
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
