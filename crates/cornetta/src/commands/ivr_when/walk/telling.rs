//! Each thing that happens on the way, in words and for programs.

use super::{Step, Walk};
use ivr::{Output, Trace, Wait};
use serde_json::{Value, json};

impl Walk<'_> {
    pub(super) fn drain(&mut self) {
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

    pub(super) fn step(&mut self, kind: &'static str, italian: String, more: Value) {
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
