//! `cornetta ivr when`: what would happen to a call at an instant, node by node, and which rule decides. The real
//! interpreter walks the script that answers the number; time passes as fast as it can.

use super::{WRONG, now, tell_faults};
use crate::cli::When;
use crate::config;
use crate::exchange::ZONE;
use base::{Time, Wall};
use calendar::Zone;
use engine::{Config, HOPS_MAX, Service};
use ivr::{Answer, Entry, Input, Interpreter, Output, Script, Trace, TransferEnd, Wait};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

/// Far more than a caller could do.
const TURNS_MAX: usize = 10_000;

pub(super) fn run(when: &When) -> ExitCode {
    let installation = match config::load(&when.config.config) {
        Ok(installation) => installation,
        Err(faults) => return tell_faults(&faults),
    };
    let engine = &installation.engine;
    let normal = engine.numbering.home.normal(&when.number).to_string();
    let Some(service) = engine.services.get(&normal).or(engine.otherwise.as_ref()) else {
        return wrong(&format!("nothing answers {}; the numbers stand under [[service]]", when.number));
    };
    let Service::Script { script, language } = service else {
        println!(
            "al {} risponde il servizio «{}», senza script e senza calendario",
            when.number,
            service.name()
        );
        return ExitCode::SUCCESS;
    };
    let Some(zone) = script.zone().cloned().or_else(|| Zone::named(ZONE)) else {
        return wrong("no zone is known");
    };
    let (at, note) = match instant(when.at.as_deref(), &zone) {
        Ok(instant) => instant,
        Err(why) => return wrong(&why),
    };
    let from = when.from.as_deref().map(|from| engine.numbering.home.normal(from).to_string());
    let from = from.unwrap_or_else(|| "anonymous".to_owned());
    if let Some(language) = &when.remembered {
        let known: Vec<&str> = script.languages().collect();
        if !script.remembers() {
            return wrong(&format!("the script {} remembers nobody; leave --remembered out", script.name()));
        }
        if !known.contains(&language.as_str()) {
            return wrong(&format!("the script has no language `{language}`; it has {}", known.join(", ")));
        }
        if when.from.is_none() {
            return wrong("nobody is remembered who is anonymous; say who calls: --from +393471234567");
        }
    }
    let entry = Entry {
        written: engine.numbering.written_in(script, &normal).to_owned(),
        dialled: normal.clone(),
        caller: from.clone(),
        trust: engine::TRUST_UNKNOWN.to_string(),
        language: language.clone(),
        brought: Default::default(),
        remembered: when.remembered.clone(),
    };
    let mut walk = Walk::new(engine, (script, entry), at, &when.keys);
    walk.go();
    let shown = zone.shown(at).unwrap_or_default();
    match when.json {
        true => println!(
            "{}",
            json!({
                "number": when.number, "from": from, "at": shown, "zone": zone.name(), "note": note,
                "script": script.name(), "steps": walk.steps.iter().map(Step::json).collect::<Vec<_>>(),
            })
        ),
        false => tell(
            &walk.steps,
            &format!("{shown} ({})", zone.name()),
            (&from, &when.number, script.name()),
            &note,
        ),
    }
    ExitCode::SUCCESS
}

fn wrong(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(WRONG)
}

fn tell(steps: &[Step], at: &str, (from, number, script): (&str, &str, &str), note: &str) {
    println!("{at}, chiama {from}: al {number} risponde lo script «{script}»");
    if !note.is_empty() {
        println!("{note}");
    }
    for step in steps {
        println!("  {:<20} {}", step.node, step.italian);
    }
}

/// The instant that the clock of the zone shows so, and a word where that is not clear.
fn instant(shown: Option<&str>, zone: &Zone) -> Result<(Wall, String), String> {
    let Some(shown) = shown else { return Ok((now(), String::new())) };
    let instants = zone.instants(shown).ok_or_else(|| {
        format!("`{shown}` is no time; write it like \"2027-04-25 10:00\", by the clocks of {}", zone.name())
    })?;
    match instants.as_slice() {
        [] => Err(format!("`{shown}` does not come in {}: the clocks go forward over it", zone.name())),
        [only] => Ok((*only, String::new())),
        [first, second, ..] => {
            let later = zone.shown(*second).unwrap_or_default();
            Ok((*first, format!("l'orologio mostra quest'ora due volte: qui la prima, la seconda è {later}")))
        }
    }
}

/// One thing that happens.
struct Step {
    node: String,
    /// What kind of thing, for programs.
    kind: &'static str,
    italian: String,
    /// What programs want to know of it.
    more: Value,
}

impl Step {
    fn json(&self) -> Value {
        let mut step = json!({ "node": self.node, "kind": self.kind, "it": self.italian });
        if let (Some(step), Value::Object(more)) = (step.as_object_mut(), &self.more) {
            step.extend(more.clone());
        }
        step
    }
}

struct Walk<'c> {
    config: &'c Config,
    /// Who called, and what was dialled first.
    entry: Entry,
    script: Arc<Script>,
    /// The number that it answers.
    number: String,
    /// What is known by names that all scripts agree on.
    brought: BTreeMap<String, String>,
    interpreter: Interpreter,
    now: Time,
    wall: Wall,
    /// Those yet to be pressed, the next one last.
    keys: Vec<char>,
    steps: Vec<Step>,
    /// The last one that was entered.
    node: String,
    /// A look-up that is not answered yet.
    asked: Option<u32>,
    /// Where within the house the script has sent the caller.
    sent: Option<String>,
    hops: u32,
    playing: bool,
    over: bool,
}

impl<'c> Walk<'c> {
    fn new(config: &'c Config, (script, entry): (&Arc<Script>, Entry), wall: Wall, keys: &str) -> Walk<'c> {
        Walk {
            config,
            script: script.clone(),
            number: entry.dialled.clone(),
            interpreter: Interpreter::new(script.clone(), entry.clone()),
            brought: entry.brought.clone(),
            entry,
            now: Time::ZERO,
            wall,
            keys: keys.chars().filter(|key| *key != ',' && *key != ' ').rev().collect(),
            steps: Vec::new(),
            node: String::new(),
            asked: None,
            sent: None,
            hops: 0,
            playing: false,
            over: false,
        }
    }

    fn go(&mut self) {
        self.tell(Input::Start);
        for _ in 0..TURNS_MAX {
            if self.over {
                return;
            }
            if let Some(to) = self.sent.take() {
                self.goes_on(&to);
            } else if let Some(serial) = self.asked.take() {
                self.tell(Input::LookedUp { serial, answer: Answer::Failed });
            } else if std::mem::take(&mut self.playing) {
                self.tell(Input::Played { complete: true });
            } else if let Some(key) = self.keys.pop() {
                self.tell(Input::Digit(key));
            } else if let Some((at, _)) = self.interpreter.poll_timeout() {
                self.wall = self.wall + at.since(self.now);
                self.now = at;
                self.interpreter.handle_timeout(self.now, self.wall);
                self.drain();
            } else {
                return;
            }
        }
    }

    /// As a call does: in the script that answers there, with what goes along.
    fn goes_on(&mut self, to: &str) {
        let body = self.config.bodies.of_number(&self.number);
        let found = self.config.sent_to(body, to).filter(|_| self.hops < HOPS_MAX);
        let Some((Service::Script { script, language }, number)) = found else {
            self.step(
                "transfer_failed",
                format!("{to} non porta a nulla: torna allo script"),
                json!({ "to": to }),
            );
            return self.tell(Input::TransferFailed(TransferEnd::Unknown));
        };
        let name = script.name().to_owned();
        let words = format!("prosegue al {number}: risponde lo script «{name}»");
        self.step("script", words, json!({ "number": number, "script": name }));
        let spoken = self.interpreter.language().to_owned();
        let spoken = Some(spoken).filter(|spoken| script.languages().any(|known| known == spoken));
        let entry = Entry {
            written: self.config.numbering.written_in(&script, &number).to_owned(),
            dialled: number.clone(),
            language: spoken.or(language),
            brought: self.brought.clone(),
            remembered: None,
            ..self.entry.clone()
        };
        (self.interpreter, self.script, self.number) =
            (Interpreter::new(script.clone(), entry), script, number);
        self.hops += 1;
        self.tell(Input::Start);
    }

    fn tell(&mut self, input: Input) {
        self.interpreter.handle(self.now, self.wall, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.interpreter.poll_output() {
            match output {
                Output::Play { .. } => self.playing = true,
                Output::Stop => self.playing = false,
                Output::Trace(trace) => self.trace(trace),
                Output::LookUp { serial, look_up, .. } => {
                    self.asked = Some(serial);
                    let name = look_up.name.to_owned();
                    self.step(
                        "look_up",
                        format!("chiede «{name}»; qui si assume che non risponda"),
                        json!({ "look_up": name }),
                    );
                }
                Output::Queue(wait) => self.waits(wait),
                Output::Transfer { to, .. } if ivr::is_service(&to) => {
                    self.step("transfer", format!("è passata a {to}"), json!({ "to": to }));
                    self.sent = Some(to);
                }
                Output::Transfer { to, .. } => {
                    self.end("transfer", format!("è passata a {to}"), json!({ "to": to }));
                }
                Output::TransferToAgent { agent, .. } => {
                    self.end(
                        "transfer",
                        format!("squilla all'operatore «{agent}»"),
                        json!({ "agent": agent }),
                    );
                }
                Output::CallBack(wish) => {
                    let words = format!("sarà richiamato {} dalla coda «{}»", wish.number, wish.queue);
                    self.end("callback", words, json!({ "queue": wish.queue, "number": wish.number }));
                }
                Output::Message { mailbox, .. } => {
                    self.end(
                        "message",
                        format!("lascia un messaggio a «{mailbox}»"),
                        json!({ "mailbox": mailbox }),
                    );
                }
                Output::Remember { language, .. } => {
                    let words = format!("si ricorda la lingua {language} per questo numero");
                    self.step("remember", words, json!({ "language": language }));
                }
                Output::Forget => {
                    self.step("forget", "per questo numero non si ricorda nulla".to_owned(), json!({}));
                }
                Output::HangUp { reason } => {
                    self.end(
                        "hang_up",
                        format!("la chiamata finisce: {reason}"),
                        json!({ "reason": reason }),
                    );
                }
            }
        }
    }

    fn waits(&mut self, wait: Wait) {
        let topic = if wait.topic.is_empty() { String::new() } else { format!(", argomento {}", wait.topic) };
        let interpreter = wait.interpreter.as_ref().map(|wanted| {
            let after = wanted.after.as_secs();
            format!("; dopo {after} s anche chi non la parla, con un interprete di «{}»", wanted.queue)
        });
        let words = format!(
            "attende un operatore in «{}» (lingua {}{topic}){}",
            wait.queue,
            wait.language,
            interpreter.unwrap_or_default()
        );
        let interpreter = wait.interpreter.map(|wanted| wanted.queue);
        let more = json!({
            "queue": wait.queue, "language": wait.language, "topic": wait.topic, "interpreter": interpreter,
        });
        self.end("queue", words, more);
    }

    fn end(&mut self, kind: &'static str, italian: String, more: Value) {
        self.step(kind, italian, more);
        self.over = true;
    }

    fn step(&mut self, kind: &'static str, italian: String, more: Value) {
        let node = self.node.clone();
        self.steps.push(Step { node, kind, italian, more });
    }

    fn trace(&mut self, trace: Trace) {
        match trace {
            Trace::Entered { node } => self.node = node,
            Trace::PromptStarted { node, prompts } => {
                let words: Vec<String> = prompts.iter().map(|prompt| self.words(prompt)).collect();
                let italian = format!("si sente: {}", words.join(" "));
                self.steps.push(Step { node, kind: "prompt", italian, more: json!({ "prompts": prompts }) });
            }
            Trace::Chosen { node, key, choice } => {
                let more = json!({ "key": key.to_string(), "choice": choice });
                self.steps.push(Step { node, kind: "key", italian: format!("preme {key}: {choice}"), more });
            }
            Trace::NoInput { node, attempt } => {
                let italian = format!("non preme nulla ({attempt}ª volta)");
                self.steps.push(Step {
                    node,
                    kind: "no_input",
                    italian,
                    more: json!({ "attempt": attempt }),
                });
            }
            Trace::NoMatch { node, key, attempt } => {
                let italian = format!("preme {key}, che qui non vale ({attempt}ª volta)");
                let more = json!({ "key": key.to_string(), "attempt": attempt });
                self.steps.push(Step { node, kind: "no_match", italian, more });
            }
            Trace::Collected { node, digits } => {
                let italian = format!("digita {digits}");
                self.steps.push(Step { node, kind: "digits", italian, more: json!({ "digits": digits }) });
            }
            Trace::Set { key, value } => {
                if key == "topic" || key == "priority" {
                    self.brought.insert(key.clone(), value.clone());
                }
                self.step("set", format!("si sa: {key} = {value}"), json!({ "key": key, "value": value }));
            }
            Trace::Hours { calendar, open, rule } => self.hours(&calendar, open, &rule),
            _ => {}
        }
    }

    /// A calendar decided: by which rule, and until when, by its own clocks.
    fn hours(&mut self, name: &str, open: bool, rule: &str) {
        let script = self.script.clone();
        let calendar = script.calendar(name);
        let rule_it =
            calendar.map_or_else(|| rule.to_owned(), |calendar| calendar.rule_in_italian(self.wall));
        let until = calendar.and_then(|calendar| calendar.zone().shown(calendar.until(self.wall)?));
        let zone = calendar.map_or("", |calendar| calendar.zone().name());
        let answer = if open { "aperto" } else { "chiuso" };
        let next = match (&until, open) {
            (None, _) => String::new(),
            (Some(until), true) => format!("; chiude {until} ({zone})"),
            (Some(until), false) => format!("; apre {until} ({zone})"),
        };
        let italian = format!("calendario «{name}»: {answer}, per {rule_it}{next}");
        let more = json!({ "calendar": name, "open": open, "rule": rule, "until": until, "zone": zone });
        self.step("hours", italian, more);
    }

    /// What is said, as far as the script tells the words of a sound.
    fn words(&self, source: &str) -> String {
        let words = source.split_once('/').and_then(|(language, phrase)| self.script.text(phrase, language));
        words.map_or_else(|| format!("[{source}]"), |words| format!("«{words}»"))
    }
}
