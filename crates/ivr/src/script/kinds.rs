//! One function for each kind of node.

use super::flow::Reader;
use super::model::{Choice, Exit, Kind, Line, Node, QueueNode, Retry, Value};
use super::phrases::{Use, source};
use super::words::{self, NAME_SHAPE, is_name, is_target};
use document::{Entry, Section, nearest};
use media_api::Sound;
use std::time::Duration;

/// The keys that say what a node is. `say` says it only where none of these does.
const KINDS: [&str; 7] = ["menu", "set", "hours", "case", "queue", "transfer", "hang_up"];

const TIMEOUT: Duration = Duration::from_secs(5);
const RING: Duration = Duration::from_secs(30);
const TRIES: u32 = 3;
const TRIES_MAX: i64 = 10;

/// Reads the node `body`, or tells what is wrong with it.
pub(super) fn node(reader: &mut Reader<'_>, body: &Entry<'_>) -> Option<Node> {
    let mut section = reader.document.section(body)?;
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| section.has(kind)).collect();
    let name = body.name;
    let kind = match kinds.as_slice() {
        [kind] => kind,
        [] if section.has("say") => "say",
        [] => {
            let near = section.names().find_map(|key| nearest(key, KINDS));
            let what_to_do = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("give it one of say, {}", KINDS.join(", ")),
            };
            reader.document.fault(body.at, format!("node `{name}` does nothing"), what_to_do);
            return None;
        }
        [first, second, ..] => {
            let what = format!("node `{name}` is both {first} and {second}");
            reader.document.fault(body.at, what, "make two nodes of it");
            return None;
        }
    };
    let say = if matches!(kind, "set" | "hours" | "case") { Vec::new() } else { say(reader, &mut section) };
    let barge_in = if matches!(kind, "say" | "menu") { barge_in(reader, &mut section) } else { false };
    let kind = read_kind(reader, &mut section, kind);
    section.finish(&mut reader.document);
    Some(Node { name: name.to_owned(), at: body.at, say, barge_in, asks: false, kind: kind? })
}

fn read_kind(reader: &mut Reader<'_>, section: &mut Section<'_>, kind: &str) -> Option<Kind> {
    match kind {
        "menu" => menu(reader, section),
        "set" => {
            let values = section.take("set").map(|entry| reader.assignments(&entry)).unwrap_or_default();
            Some(Kind::Set { values, next: reader.exit(section, "next")? })
        }
        "hours" => hours(reader, section),
        "case" => case(reader, section),
        "queue" => queue(reader, section),
        "transfer" => transfer(reader, section),
        "hang_up" => {
            let entry = section.take("hang_up")?;
            Some(Kind::HangUp { reason: name(reader, &entry)? })
        }
        _ => Some(Kind::Say { next: reader.exit(section, "next")? }),
    }
}

fn barge_in(reader: &mut Reader<'_>, section: &mut Section<'_>) -> bool {
    section.take("barge_in").and_then(|entry| reader.document.flag(&entry)).unwrap_or(true)
}

/// The lines of `say`, in the call's language unless they end in `@LANG`.
fn say(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<Line> {
    let Some(entry) = section.take("say") else { return Vec::new() };
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        reader.document.fault(entry.value_at(), "`say` says nothing", "name a phrase, or take it out");
    }
    lines(reader, &entry)
}

fn lines(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Vec<Line> {
    let texts = reader.document.texts(entry);
    texts.into_iter().filter_map(|(text, at)| line(reader, text, at)).collect()
}

fn line(reader: &mut Reader<'_>, text: &str, at: usize) -> Option<Line> {
    let (phrase, language) = match text.split_once('@') {
        Some((phrase, language)) => (phrase, Some(reader.language(language, at)?)),
        None => (text, None),
    };
    if !is_name(phrase) {
        reader.document.fault(at, format!("`{phrase}` is no name for a phrase"), NAME_SHAPE);
        return None;
    }
    let line = Line { phrase: phrase.to_owned(), language };
    uses(reader, &line, at);
    Some(line)
}

fn uses(reader: &mut Reader<'_>, line: &Line, at: usize) {
    reader.uses.insert(Use { phrase: line.phrase.clone(), language: line.language.clone(), at });
}

/// A name that is the value of `entry`: of a queue, or a reason.
fn name(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<String> {
    let text = reader.document.text(entry)?;
    if !is_name(text) {
        let what = format!("`{text}` is no name for `{}`", entry.name);
        reader.document.fault(entry.value_at(), what, NAME_SHAPE);
        return None;
    }
    Some(text.to_owned())
}

fn duration(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &'static str) -> Option<Duration> {
    let entry = section.take(key)?;
    let text = reader.document.text(&entry)?;
    let duration = words::duration(text);
    if duration.is_none() {
        let what = format!("`{text}` is no duration");
        reader.document.fault(entry.value_at(), what, "write it like \"45s\" or \"5m\", a day at most");
    }
    duration
}

fn menu(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("menu")?;
    let timeout = duration(reader, section, "timeout").unwrap_or(TIMEOUT);
    let no_input = retry(reader, section, "no_input", "no_input");
    let no_match = retry(reader, section, "no_match", "invalid_choice");
    let next = section.take("next").map(|entry| reader.node(&entry).map(Exit::To));
    let options = reader.document.section(&entry).map(Section::rest)?;
    if options.is_empty() {
        reader.document.fault(
            entry.at,
            "the menu has no keys",
            "write at least one, such as 1 = { say = \"...\" }",
        );
        return None;
    }
    let choices: Vec<Option<Choice>> = options.iter().map(|option| choice(reader, option, &next)).collect();
    let choices = choices.into_iter().collect::<Option<_>>()?;
    Some(Kind::Menu { choices, timeout, no_input: no_input?, no_match: no_match? })
}

/// `1 = { say = "topic_work", set = { topic = "work" }, next = "queue" }` or `1 = { language = "it" }`.
fn choice(reader: &mut Reader<'_>, option: &Entry<'_>, menu_next: &Option<Option<Exit>>) -> Option<Choice> {
    let key = words::key(option.name);
    if key.is_none() {
        let what = format!("`{}` is no key of a telephone", option.name);
        reader.document.fault(option.at, what, "write one of 0 to 9, \"*\" or \"#\"");
    }
    let mut section = reader.document.section(option)?;
    let at = section.at;
    let language = section.take("language").map(|entry| {
        let language = reader.document.text(&entry)?;
        reader.speak(language, entry.value_at())
    });
    let said = say(reader, &mut section);
    let mut set = section.take("set").map(|entry| reader.assignments(&entry)).unwrap_or_default();
    let next = match (section.take("next"), menu_next) {
        (Some(entry), _) => reader.node(&entry).map(Exit::To),
        (None, Some(next)) => next.clone(),
        (None, None) => {
            let what = format!("key {} leads nowhere", option.name);
            reader.document.fault(at, what, "give it a `next`, or the whole menu one");
            None
        }
    };
    section.finish(&mut reader.document);
    let key = key?;
    let say = match language {
        None if said.is_empty() => {
            reader.document.fault(
                at,
                format!("key {key} is not announced"),
                "say what it is for: say = \"...\"",
            );
            return None;
        }
        None => said,
        Some(language) => {
            let language = language?;
            set.insert(0, super::Assignment { key: "language".to_owned(), value: language.clone() });
            spoken_in(reader, said, language, at)
        }
    };
    for line in &say {
        uses(reader, &Line { phrase: words::press(key), language: line.language.clone() }, at);
    }
    Some(Choice { key, say, set, next: next? })
}

/// What announces a language: its own words, in itself.
fn spoken_in(reader: &mut Reader<'_>, said: Vec<Line>, language: String, at: usize) -> Vec<Line> {
    if !said.is_empty() {
        return said;
    }
    let line = Line { phrase: "press_for_language".to_owned(), language: Some(language) };
    uses(reader, &line, at);
    vec![line]
}

/// `no_input = "node"` or `no_input = { tries = 3, say = "no_input", next = "node" }`.
fn retry(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    phrase: &'static str,
) -> Option<Retry> {
    let at = section.at;
    let Some(entry) = section.take(key) else {
        return Some(Retry {
            tries: TRIES,
            say: said_again(reader, phrase, at),
            next: Exit::HangUp(reason(key)),
        });
    };
    if entry.value.get_ref().is_str() {
        let next = reader.node(&entry).map(Exit::To)?;
        return Some(Retry { tries: TRIES, say: said_again(reader, phrase, entry.at), next });
    }
    let mut section = reader.document.section(&entry)?;
    let tries = section.take("tries").and_then(|tries| {
        let number = reader.document.number(&tries)?;
        let allowed = u32::try_from(number).ok().filter(|_| (1..=TRIES_MAX).contains(&number));
        if allowed.is_none() {
            let what = format!("{number} tries are not possible");
            reader.document.fault(tries.value_at(), what, format!("choose 1 to {TRIES_MAX}"));
        }
        allowed
    });
    let say = match section.take("say") {
        Some(say) => lines(reader, &say),
        None => said_again(reader, phrase, entry.at),
    };
    let next = reader.exit_or(&mut section, "next", reason(key));
    section.finish(&mut reader.document);
    Some(Retry { tries: tries.unwrap_or(TRIES), say, next: next? })
}

/// Why a call ends that a menu gave up on, where the script does not say.
fn reason(key: &str) -> &'static str {
    if key == "no_input" { "no_input" } else { "no_match" }
}

fn said_again(reader: &mut Reader<'_>, phrase: &str, at: usize) -> Vec<Line> {
    let line = Line { phrase: phrase.to_owned(), language: None };
    uses(reader, &line, at);
    vec![line]
}

fn hours(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("hours")?;
    let name = reader.document.text(&entry);
    if let Some(name) = name.filter(|name| !reader.calendars.contains_key(*name)) {
        let what_to_do = match nearest(name, reader.calendars.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write calendars/{name}.toml"),
        };
        reader.document.fault(entry.value_at(), format!("unknown calendar `{name}`"), what_to_do);
    }
    let (open, closed) = (reader.exit(section, "open"), reader.exit(section, "closed"));
    Some(Kind::Hours { calendar: name?.to_owned(), open: open?, closed: closed? })
}

/// `case = "$topic"`, `when = { work = "node" }`, `otherwise = "node"`.
fn case(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("case")?;
    let known = reader.document.text(&entry).and_then(|text| {
        let name = text.strip_prefix('$');
        if name.is_none() {
            let what = format!("`{text}` is nothing that is known of a call");
            reader.document.fault(entry.value_at(), what, format!("did you mean `${text}`?"));
        }
        name
    });
    let otherwise = reader.exit(section, "otherwise");
    let hint = "write at least one value and its node, such as when = { work = \"urgent\" }";
    let when = section.require(&mut reader.document, "when", hint)?;
    let values = reader.document.section(&when).map(Section::rest)?;
    let mut exits = Vec::new();
    for value in &values {
        if let Some(known) = known {
            reader.compares(known, value.name, value.at);
        }
        exits.push((value.name.to_owned(), Exit::To(reader.node(value)?)));
    }
    reader.knows(known?, entry.value_at());
    Some(Kind::Case { known: known?.to_owned(), when: exits, otherwise: otherwise? })
}

fn transfer(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("transfer")?;
    let to = value(reader, &entry);
    if let Some(Value::Text(text)) = &to
        && !is_target(text)
    {
        let what = format!("nobody can be called at `{text}`");
        reader.document.fault(entry.value_at(), what, "write a number or sip:USER@HOST");
    }
    let ring = duration(reader, section, "ring").unwrap_or(RING);
    let mut on = outcomes(reader, section);
    let failed = reader.exit_or_default(&mut on, "failed", "transfer_failed");
    finish(reader, on);
    Some(Kind::Transfer { to: to?, ring, failed: failed? })
}

/// A text, or `$NAME` for what is known of the call.
fn value(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Value> {
    let text = reader.document.text(entry)?;
    let Some(name) = text.strip_prefix('$') else { return Some(Value::Text(text.to_owned())) };
    reader.knows(name, entry.value_at());
    Some(Value::Known(name.to_owned()))
}

fn outcomes<'d>(reader: &mut Reader<'_>, section: &mut Section<'d>) -> Option<Section<'d>> {
    section.take("on").and_then(|entry| reader.document.section(&entry))
}

fn finish(reader: &mut Reader<'_>, section: Option<Section<'_>>) {
    if let Some(section) = section {
        section.finish(&mut reader.document);
    }
}

fn queue(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("queue")?;
    let queue = name(reader, &entry);
    let (language, topic) = needs(reader, section);
    let priority = section.take("priority").and_then(|entry| reader.priority(&entry));
    let music = music(reader, section);
    let position_at = section.place_of("position_every");
    let position_every = duration(reader, section, "position_every");
    if let Some(at) = position_at {
        for phrase in position_phrases() {
            uses(reader, &Line { phrase, language: None }, at);
        }
    }
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
    }))
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
        let music = reader.sounds.0.iter().map(String::as_str).filter(|source| source.starts_with("moh/"));
        let what_to_do = match nearest(name, music) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "put it there, or name another such as \"moh/calm\"".to_owned(),
        };
        reader.document.fault(entry.value_at(), format!("there is no sound `{name}`"), what_to_do);
    }
    Some(source(name))
}

/// What `Script::position` says.
fn position_phrases() -> impl Iterator<Item = String> {
    let words = ["you_are_number", "please_wait"].map(str::to_owned);
    let digits = (1..=9).map(|n| format!("digit_{n}"));
    words.into_iter().chain(digits).chain((10..=60).map(|n| format!("number_{n}")))
}
