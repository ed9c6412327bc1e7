//! Nodes in which the caller waits for an agent, or is called back instead.

use super::super::flow::Reader;
use super::super::model::{CallbackNode, Exit, InterpreterWanted, Kind, Line, QueueNode, Value};
use super::super::phrases::source;
use super::limits::{AFTER, CALLBACK_TRIES, CALLBACK_TRIES_MAX, MEANWHILE, PAUSE, WITHIN};
use super::saying::{say, uses};
use super::{duration, finish, name, outcomes, value};
use document::{Section, nearest};
use media_api::Sound;
use spoken::Form;
use std::collections::BTreeSet;

pub(super) fn queue(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("queue")?;
    let queue = name(reader, &entry);
    let (language, topic) = needs(reader, section);
    let priority = section.take("priority").and_then(|entry| reader.priority(&entry));
    let music = music(reader, section);
    let position_at = section.place_of("position_every");
    let position_every = duration(reader, section, "position_every");
    if let Some(at) = position_at {
        position_phrases(reader, at);
    }
    let interpreter = interpreter(reader, section);
    let has_overflow = section.has("overflow_after");
    let overflow_after = duration(reader, section, "overflow_after");
    let mut on = outcomes(reader, section);
    let overflow_at = on.as_ref().and_then(|on| on.place_of("overflow"));
    if let Some(at) = overflow_at.filter(|_| !has_overflow) {
        reader.document.fault(at, "the queue never overflows", "say when: overflow_after = \"5m\"");
    }
    let overflow = reader.exit_or_default(&mut on, "overflow", "overflow");
    let full = reader.exit_or_default(&mut on, "full", "queue_full");
    let nobody = reader.exit_or_default(&mut on, "nobody", "nobody_there");
    let ended = on.as_mut().and_then(|on| on.take("ended"));
    let ended = ended.and_then(|ended| reader.node(&ended)).map(Exit::To);
    finish(reader, on);
    Some(Kind::Queue(QueueNode {
        queue: queue?,
        language,
        topic,
        priority,
        music,
        position_every,
        overflow_after,
        overflow: overflow?,
        full: full?,
        nobody: nobody?,
        ended,
        interpreter,
    }))
}

/// `interpreter = "interpreters"`, or `{ queue = "interpreters", after = "30s", within = "1m", say = "please_wait" }`.
fn interpreter(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<InterpreterWanted> {
    let entry = section.take("interpreter")?;
    if entry.value.get_ref().is_str() {
        let say = said_meanwhile(reader, entry.value_at());
        return Some(InterpreterWanted { queue: name(reader, &entry)?, after: AFTER, within: WITHIN, say });
    }
    let mut section = reader.document.section(&entry)?;
    let hint = "name the queue whose agents interpret";
    let queue = section.require(&mut reader.document, "queue", hint);
    let queue = queue.and_then(|entry| name(reader, &entry));
    let after = duration(reader, &mut section, "after").unwrap_or(AFTER);
    let within = duration(reader, &mut section, "within").unwrap_or(WITHIN);
    let say = match section.has("say") {
        true => say(reader, &mut section),
        false => said_meanwhile(reader, entry.value_at()),
    };
    section.finish(&mut reader.document);
    Some(InterpreterWanted { queue: queue?, after, within, say })
}

fn said_meanwhile(reader: &mut Reader<'_>, at: usize) -> Vec<Line> {
    uses(reader, MEANWHILE, None, at);
    vec![Line::phrase(MEANWHILE, None)]
}

/// The skills that an agent needs: the call's language and topic unless `needs` says otherwise.
fn needs(reader: &mut Reader<'_>, section: &mut Section<'_>) -> (Value, Value) {
    let mut skills = (Value::Known("language".to_owned()), Value::Known("topic".to_owned()));
    let needs = section.take("needs").and_then(|entry| reader.document.section(&entry));
    let Some(mut needs) = needs else { return skills };
    if let Some(entry) = needs.take("language")
        && let Some(language) = value(reader, &entry)
    {
        if let Value::Text(text) = &language {
            reader.language(text, entry.value_at());
        }
        skills.0 = language;
    }
    if let Some(topic) = needs.take("topic").and_then(|entry| value(reader, &entry)) {
        skills.1 = topic;
    }
    needs.finish(&mut reader.document);
    skills
}

fn music(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Sound> {
    let entry = section.take("music")?;
    let name = reader.document.text(&entry)?;
    if !reader.sounds.has(name) {
        let music = reader.sounds.sources().filter(|source| source.starts_with("moh/"));
        let what_to_do = match nearest(name, music) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "put it there, or name another such as \"moh/calm\"".to_owned(),
        };
        reader.document.fault(entry.value_at(), format!("there is no sound `{name}`"), what_to_do);
    }
    Some(source(reader.sounds.played_by(name)))
}

/// What `Script::position` says for sure. A desk whose queue never is longer need not record larger numbers.
fn position_phrases(reader: &mut Reader<'_>, at: usize) {
    for phrase in ["you_are_number", "please_wait"] {
        uses(reader, phrase, None, at);
    }
    for language in reader.languages.clone() {
        let said = |place: u32| Form::Place.say(&language, &place.to_string());
        for fragment in (1..=60).filter_map(said).flatten().collect::<BTreeSet<_>>() {
            uses(reader, &fragment, Some(&language), at);
        }
    }
}

/// `callback = "helpdesk"`, `number = "$caller"`, `tries = 3`, `pause = "10m"`, `next = "node"`, `on.refused = "node"`.
pub(super) fn callback(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("callback")?;
    let queue = name(reader, &entry);
    let (language, topic) = needs(reader, section);
    let priority = section.take("priority").and_then(|entry| reader.priority(&entry));
    let number = match section.take("number") {
        Some(entry) => value(reader, &entry),
        None => Some(Value::Known("caller".to_owned())),
    };
    let tries = tries(reader, section).unwrap_or(CALLBACK_TRIES);
    let pause = duration(reader, section, "pause").unwrap_or(PAUSE);
    let next = reader.exit(section, "next");
    let mut on = outcomes(reader, section);
    let refused = reader.exit_or_default(&mut on, "refused", "callback_refused");
    finish(reader, on);
    Some(Kind::Callback(CallbackNode {
        queue: queue?,
        number: number?,
        language,
        topic,
        priority,
        tries,
        pause,
        next: next?,
        refused: refused?,
    }))
}

fn tries(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<u32> {
    let entry = section.take("tries")?;
    let number = reader.document.number(&entry)?;
    let tries = u32::try_from(number).ok().filter(|_| (1..=CALLBACK_TRIES_MAX).contains(&number));
    if tries.is_none() {
        let what = format!("nobody is called back {number} times");
        reader.document.fault(entry.value_at(), what, format!("choose 1 to {CALLBACK_TRIES_MAX}"));
    }
    tries
}
