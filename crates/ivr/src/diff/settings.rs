//! What nodes and look-ups are told beside their ways, by name.

use super::{Found, Subject};
use crate::LookUp;
use crate::script::{
    Assignment, CallbackNode, CollectNode, Flow, InterpreterWanted, Kind, Line, MessageNode, Node, Purpose,
    QueueNode, Retry, Value, Words, span,
};
use crate::{Secret, Source};
use calendar::InWords;
use std::collections::BTreeMap;

type Settings = BTreeMap<InWords, InWords>;

struct Table(Settings);

impl Table {
    fn put(&mut self, it: &str, en: &str, value: impl Into<String>) {
        self.0.insert(InWords::new(it, en), InWords::same(value));
    }

    fn maybe(&mut self, it: &str, en: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.put(it, en, value);
        }
    }

    fn retry(&mut self, (it, en): (&str, &str), retry: &Retry) {
        self.put(&format!("i tentativi {it}"), &format!("tries {en}"), retry.tries.to_string());
        let (words, says) = (format!("la frase {it}"), format!("words {en}"));
        self.0.insert(InWords::new(words, says), said(&retry.say));
    }
}

pub(super) fn settings(node: &Node) -> Settings {
    let mut table = Table(BTreeMap::new());
    if !node.barge_in {
        table.put("l'interruzione con un tasto", "barge-in", "false");
    }
    match &node.kind {
        Kind::Menu { timeout, no_input, no_match, .. } => {
            table.put("l'attesa di un tasto", "the wait for a key", span(*timeout));
            table.retry(WITHOUT, no_input);
            table.retry(WRONG, no_match);
        }
        Kind::Collect(collect) => typed(&mut table, collect),
        kind => others(&mut table, kind),
    }
    table.0
}

const WITHOUT: (&str, &str) = ("senza tasto", "without a key");
const WRONG: (&str, &str) = ("con un tasto sbagliato", "with a wrong key");

fn others(table: &mut Table, kind: &Kind) {
    match kind {
        Kind::Set { values, .. } => table.put("che cosa si imposta", "what is set", assignments(values)),
        Kind::Hours { calendar, .. } => table.put("il calendario", "the calendar", calendar),
        Kind::Case { known, .. } => table.put("che cosa decide", "what decides", format!("${known}")),
        Kind::LookUp(asked) => {
            let with = asked.with.iter().map(|(name, value)| format!("{name} = {value}"));
            table.put("la domanda", "the look-up", &asked.look_up.name);
            table.put("con che cosa si chiede", "what is given", Vec::from_iter(with).join(", "));
        }
        Kind::Queue(queue) => waited(table, queue),
        Kind::Transfer { to, ring, .. } => {
            table.put("a chi si passa", "to whom", to.to_string());
            if !to.is_service() {
                table.put("quanto squilla", "how long it rings", span(*ring));
            }
        }
        Kind::Callback(callback) => called_back(table, callback),
        Kind::Message(message) => left(table, message),
        Kind::Part { part, .. } => table.put("la parte", "the part", part),
        Kind::HangUp { reason, refusal } => {
            table.put("il motivo", "the reason", reason);
            table.put("il rifiuto", "a refusal", refusal.to_string());
        }
        Kind::Say { .. } | Kind::Menu { .. } | Kind::Collect(_) => {}
    }
}

// Each field is named below, so that none that comes later is forgotten; where a node leads is told elsewhere.

fn typed(table: &mut Table, node: &CollectNode) {
    let CollectNode {
        purpose,
        least,
        most,
        allowed,
        end,
        timeout,
        between,
        masked,
        next: _,
        no_input,
        no_match,
    } = node;
    let purpose = match purpose {
        Purpose::Known(name) => format!("${name}"),
        Purpose::Survey(question) => question.clone(),
    };
    table.put("che cosa si chiede", "what is asked", purpose);
    table.put("il numero di cifre", "the number of digits", format!("{least}..{most}"));
    table.put("i tasti ammessi", "the keys allowed", allowed.iter().collect::<String>());
    table.maybe("il tasto di fine", "the end key", *end);
    table.put("l'attesa di un tasto", "the wait for a key", span(*timeout));
    table.put("l'attesa fra due cifre", "the wait between digits", span(*between));
    table.put("la riservatezza", "masked", masked.to_string());
    table.retry(WITHOUT, no_input);
    table.retry(WRONG, no_match);
}

fn waited(table: &mut Table, node: &QueueNode) {
    let QueueNode {
        queue,
        language,
        topic,
        priority,
        music,
        position_every,
        overflow_after,
        overflow: _,
        full: _,
        nobody: _,
        ended: _,
        interpreter,
    } = node;
    table.put("la coda", "the queue", queue);
    skills(table, (language, topic), *priority);
    let music = music.as_ref().and_then(|music| music.first()).map(ToString::to_string);
    table.maybe("la musica", "the music", music);
    let position = position_every.map(span);
    table.maybe("ogni quanto si dice il posto", "how often the place is told", position);
    table.maybe("l'attesa massima", "the longest wait", overflow_after.map(span));
    if let Some(InterpreterWanted { queue, after, within, say }) = interpreter {
        table.put("la coda degli interpreti", "the queue of interpreters", queue);
        table.put("da quando serve un interprete", "when an interpreter is wanted", span(*after));
        table.put("quanto si cerca un interprete", "how long an interpreter is sought", span(*within));
        let words = InWords::new("la frase mentre si cerca", "words meanwhile");
        table.0.insert(words, said(say));
    }
}

fn called_back(table: &mut Table, node: &CallbackNode) {
    let CallbackNode { queue, number, language, topic, priority, tries, pause, next: _, refused: _ } = node;
    table.put("la coda", "the queue", queue);
    table.put("il numero da richiamare", "the number to call", number.to_string());
    skills(table, (language, topic), *priority);
    table.put("quante volte si richiama", "how often to call", tries.to_string());
    table.put("la pausa fra i tentativi", "the pause between tries", span(*pause));
}

fn left(table: &mut Table, node: &MessageNode) {
    let MessageNode { mailbox, longest, silence, next: _, empty: _, failed: _ } = node;
    table.put("la casella", "the mailbox", mailbox);
    table.put("la durata massima", "the longest", span(*longest));
    table.put("il silenzio che chiude", "the silence that ends it", span(*silence));
}

fn skills(table: &mut Table, (language, topic): (&Value, &Value), priority: Option<u8>) {
    table.put("la lingua richiesta", "the language needed", language.to_string());
    table.put("l'argomento richiesto", "the topic needed", topic.to_string());
    table.maybe("la priorità", "the priority", priority.map(|priority| priority.to_string()));
}

/// The phrases, as a script writes them.
pub(super) fn said(lines: &[Line]) -> InWords {
    let line = |line: &Line| {
        let words = match &line.words {
            Words::Phrase(phrase) => phrase.clone(),
            Words::Text(value) => format!("{{ text = {value} }}"),
            Words::Known { form, value } => {
                let form = spoken::Form::ALL.into_iter().find(|(_, known)| known == form);
                format!("{{ {} = {value} }}", form.map_or("", |(name, _)| name))
            }
        };
        line.language.as_ref().map_or(words.clone(), |language| format!("{words}@{language}"))
    };
    InWords::same(Vec::from_iter(lines.iter().map(line)).join(", "))
}

pub(super) fn assignments(values: &[Assignment]) -> String {
    Vec::from_iter(values.iter().map(|set| format!("{} = {}", set.key, set.value))).join(", ")
}

/// The look-ups that the two versions ask.
pub(super) fn look_ups(found: &mut Found, was: &Flow, is: &Flow) {
    let (was, is) = (asked(was), asked(is));
    let names = |all: &BTreeMap<String, &LookUp>| -> BTreeMap<String, InWords> {
        all.keys().map(|name| (name.clone(), InWords::same(name.as_str()))).collect()
    };
    found.tables(Subject::LookUp, &names(&was), &names(&is));
    for (name, look_up) in &was {
        let Some(now) = is.get(name) else { continue };
        found.tables(|part| Subject::Asked(name.clone(), part), &parts(look_up), &parts(now));
    }
}

fn asked(flow: &Flow) -> BTreeMap<String, &LookUp> {
    let look_up = |node| match node {
        &Node { kind: Kind::LookUp(ref asked), .. } => Some(&*asked.look_up),
        _ => None,
    };
    flow.nodes.iter().filter_map(look_up).map(|look_up| (look_up.name.clone(), look_up)).collect()
}

fn parts(look_up: &LookUp) -> Settings {
    let mut table = Table(BTreeMap::new());
    let pairs = |pairs: &BTreeMap<String, String>| {
        Vec::from_iter(pairs.iter().map(|(name, value)| format!("{name} = {value}"))).join(", ")
    };
    table.put("che cosa le si dà", "what it takes", look_up.takes.join(", "));
    table.put("che cosa dà", "what it gives", pairs(&look_up.gives));
    table.put("quanto si aspetta", "how long it is waited for", span(look_up.deadline));
    table.maybe("quanto vale la risposta", "how long an answer holds", look_up.cache.map(span));
    table.maybe("se nessuno risponde", "if nobody answers", look_up.default.as_ref().map(pairs));
    match &look_up.source {
        Source::Http(http) => {
            table.put("l'indirizzo", "the address", &http.url);
            table.put("il metodo", "the method", if http.post { "POST" } else { "GET" });
            let headers = http.headers.iter().map(|(name, value)| format!("{name}: {}", hidden(value)));
            table.put("le intestazioni", "the headers", Vec::from_iter(headers).join(", "));
        }
        Source::Csv(csv) => {
            table.put("il file", "the file", &csv.file);
            table.put("le colonne", "the columns", pairs(&csv.columns));
        }
        Source::Sql(sql) => {
            table.put("la banca dati", "the database", hidden(&sql.connection));
            table.put("l'interrogazione", "the statement", &sql.statement);
        }
    }
    table.0
}

/// Where a secret comes from. One that stands in the file is not repeated: two that differ look alike.
fn hidden(secret: &Secret) -> String {
    match secret {
        Secret::Plain(_) => "…".to_owned(),
        Secret::Environment(name) => format!("env:{name}"),
        Secret::File(path) => format!("file:{path}"),
    }
}
