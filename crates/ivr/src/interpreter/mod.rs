//! A call on its way through a script: the turns, and the way through the nodes.

mod closing;
mod collecting;
mod looking_up;
mod menus;
mod remembering;
mod speaking;

pub(crate) use speaking::Said;
pub use speaking::shown;

use crate::script::{
    Assignment, CallbackNode, Destination, Exit, FAILED, Kind, Node, NodeId, QueueNode, REMEMBERED, Value,
};
use crate::{
    CallBack, Closed, Entry, Input, Interpreting, MessageEnd, Output, QueueEnd, Script, Trace, TransferEnd,
    Wait, Why,
};
use base::{Bounded, Time, Wall};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The most nodes that one input may lead through; at the next one the call is ended with the reason
/// `script_limit`.
pub const STEPS_MAX: usize = 64;

/// The keys pressed ahead of a menu that are kept; later ones are lost.
pub const KEYS_AHEAD_MAX: usize = 16;

/// One call on its way through a script.
#[derive(Debug)]
pub struct Interpreter {
    script: Arc<Script>,
    node: NodeId,
    state: State,
    language: String,
    known: BTreeMap<String, String>,
    ahead: Bounded<char>,
    /// How often the present menu has heard nothing, and nothing of use.
    no_inputs: u32,
    no_matches: u32,
    /// The digits typed so far.
    typed: String,
    /// The end key of digits that were complete without it: many press it all the same.
    late_end: Option<char>,
    /// Of the last look-up.
    serial: u32,
    outputs: VecDeque<Output>,
    preset: Vec<Assignment>,
    /// The caller's language is remembered, or to be.
    remembers: bool,
    /// A command has closed the desk.
    closed: Option<Closed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before `Start`.
    New,
    /// The message of a desk that is closed by command is heard.
    Announcing,
    /// The node's prompts are heard.
    Playing,
    /// The menu's prompts have ended.
    Asking { until: Time },
    /// An answer is waited for, perhaps with words of comfort.
    LookingUp { since: Time, until: Time, playing: bool },
    /// In a queue, a transfer, a message; until something outside has ended.
    Resting,
    /// Nothing more comes.
    Over,
}

impl Interpreter {
    /// A call that came as `entry` says. Nothing happens before `Input::Start`.
    pub fn new(script: Arc<Script>, entry: Entry) -> Interpreter {
        let flow = script.flow();
        let number = flow.numbers.get(&entry.written);
        let node = number.map_or(flow.start, |number| number.start);
        let mut preset = number.map(|number| number.set.clone()).unwrap_or_default();
        let language = entry.language.filter(|language| flow.languages.contains(language));
        if let Some(language) = language {
            preset.retain(|set| set.key != "language");
            preset.insert(0, Assignment { key: "language".to_owned(), value: language });
        }
        for (key, value) in entry.brought {
            preset.retain(|set| set.key != key);
            preset.push(Assignment { key, value });
        }
        let fixed = preset.iter().any(|set| set.key == "language");
        let remembered = entry.remembered.filter(|language| flow.languages.contains(language) && !fixed);
        let remembered = remembered.filter(|_| flow.remember.is_some());
        let remembers = remembered.is_some();
        if let Some(value) = remembered {
            preset.insert(0, Assignment { key: "language".to_owned(), value });
            preset.insert(1, Assignment { key: REMEMBERED.to_owned(), value: "yes".to_owned() });
        }
        let known = [("dialled", entry.dialled), ("caller", entry.caller), ("trust", entry.trust)];
        let known = known.map(|(name, value)| (name.to_owned(), value)).into_iter();
        let not_yet = flow.remember.iter().map(|_| (REMEMBERED.to_owned(), "no".to_owned()));
        Interpreter {
            node,
            state: State::New,
            language: flow.languages.first().cloned().unwrap_or_default(),
            known: known.chain(not_yet).collect(),
            ahead: Bounded::new(KEYS_AHEAD_MAX),
            no_inputs: 0,
            no_matches: 0,
            typed: String::new(),
            late_end: None,
            serial: 0,
            outputs: VecDeque::new(),
            preset,
            remembers,
            closed: None,
            script,
        }
    }

    /// Takes one input. Drain the outputs before the next one. What does not fit the moment is passed over.
    pub fn handle(&mut self, now: Time, wall: Wall, input: Input) {
        let turn = Turn { now, wall };
        if let Input::Digit(key) = input {
            return self.key(turn, key);
        }
        match (self.state, input) {
            (State::New, Input::Start) => self.start(turn),
            (State::Announcing, Input::Played { complete }) => self.announced(turn, complete),
            (State::Playing, Input::Played { complete }) => {
                self.prompt_ended(complete);
                self.go_on(turn, |call, node| call.after_prompt(turn, node));
            }
            (State::LookingUp { since, until, playing: true }, Input::Played { complete }) => {
                self.prompt_ended(complete);
                self.state = State::LookingUp { since, until, playing: false };
            }
            (State::LookingUp { since, .. }, Input::LookedUp { serial, answer }) if serial == self.serial => {
                self.stop_comfort();
                self.go_on(turn, |call, node| call.looked_up(node, turn.now.since(since), answer));
            }
            (State::Resting, Input::QueueEnded(end)) => self.go_on(turn, |_, node| queue_exit(node, end)),
            (State::Resting, Input::TransferFailed(end)) => {
                self.go_on(turn, |call, node| call.not_put_through(node, end));
            }
            (State::Resting, Input::CalledBack { accepted }) => {
                self.go_on(turn, |_, node| callback_exit(node, accepted));
            }
            (State::Resting, Input::MessageEnded(end)) => self.go_on(turn, |_, node| message_exit(node, end)),
            _ => {}
        }
    }

    fn key(&mut self, turn: Turn, key: char) {
        if !is_key(key) || self.late_end.take() == Some(key) {
            return;
        }
        match self.state {
            State::New | State::LookingUp { .. } => self.keep(key),
            State::Playing => self.go_on(turn, |call, node| call.key_during_prompt(turn, node, key)),
            State::Asking { .. } => self.go_on(turn, |call, node| call.answer(turn, node, key)),
            State::Announcing | State::Resting | State::Over => {}
        }
    }

    /// To be called when the deadline of `poll_timeout` has come; earlier is harmless.
    pub fn handle_timeout(&mut self, now: Time, wall: Wall) {
        let turn = Turn { now, wall };
        match self.state {
            State::Asking { until } if until <= now => self.go_on(turn, Interpreter::no_input),
            State::LookingUp { since, until, .. } if until <= now => {
                self.stop_comfort();
                self.go_on(turn, |call, node| call.look_up_late(node, now.since(since)));
            }
            _ => {}
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next deadline.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        match self.state {
            State::Asking { until } => Some((until, Why::NoInput)),
            State::LookingUp { until, .. } => Some((until, Why::LookUp)),
            _ => None,
        }
    }

    /// What it walks.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// The call's language now.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Whether what is typed now is told to nobody.
    pub fn hides_keys(&self) -> bool {
        let node = self.script.flow().nodes.get(self.node);
        let hidden = node.is_some_and(|node| matches!(&node.kind, Kind::Collect(collect) if collect.masked));
        hidden && matches!(self.state, State::Playing | State::Asking { .. })
    }

    /// The node that the call is in.
    pub fn node(&self) -> &str {
        self.script.flow().nodes.get(self.node).map_or("", |node| &node.name)
    }
}

/// When a turn takes place.
#[derive(Clone, Copy)]
struct Turn {
    now: Time,
    wall: Wall,
}

/// The way through the nodes.
impl Interpreter {
    fn start(&mut self, turn: Turn) {
        let preset = std::mem::take(&mut self.preset);
        self.set_all(&preset);
        match self.closed.clone() {
            Some(closed) => self.start_closed(turn, closed),
            None => self.walk(turn, Exit::To(self.node)),
        }
    }

    /// Does `step` in the present node and, if that leads out of it, walks on.
    fn go_on(&mut self, turn: Turn, step: impl FnOnce(&mut Interpreter, &Node) -> Option<Exit>) {
        let script = self.script.clone();
        let Some(node) = script.flow().nodes.get(self.node) else { return };
        if let Some(exit) = step(self, node) {
            self.walk(turn, exit);
        }
    }

    fn walk(&mut self, turn: Turn, from: Exit) {
        let script = self.script.clone();
        let mut exit = from;
        for _ in 0..STEPS_MAX {
            let id = match exit {
                Exit::HangUp(reason) => return self.hang_up(reason),
                Exit::To(id) => id,
            };
            self.node = id;
            let Some(node) = script.flow().nodes.get(id) else { break };
            match self.enter(turn, node) {
                Some(next) => exit = next,
                None => return,
            }
        }
        self.hang_up("script_limit");
    }

    /// Does what a node does first. `Some` if the flow goes on at once.
    fn enter(&mut self, turn: Turn, node: &Node) -> Option<Exit> {
        self.trace(Trace::Entered { node: node.name.clone() });
        match &node.kind {
            Kind::Say { next } if node.barge_in && node.asks && !self.ahead.is_empty() => Some(next.clone()),
            Kind::Menu { .. } => self.open_menu(node),
            Kind::Collect(_) => self.open_collect(turn, node),
            Kind::LookUp(look_up) => self.look_up(turn, node, look_up),
            Kind::Set { .. } | Kind::Hours { .. } | Kind::Case { .. } | Kind::Part { .. } => {
                self.after_prompt(turn, node)
            }
            _ => {
                let sounds = self.sounds(&node.say);
                if sounds.is_empty() {
                    return self.after_prompt(turn, node);
                }
                self.play(node, sounds);
                None
            }
        }
    }

    fn hours(&mut self, turn: Turn, name: &str, open: &Exit, closed: &Exit) -> Exit {
        let (is_open, rule) = match (&self.closed, self.script.calendar(name)) {
            (Some(closed), _) => (false, closed.rule.clone()),
            (None, Some(calendar)) => {
                let decision = calendar.at(turn.wall);
                (decision.open, decision.rule)
            }
            (None, None) => (false, String::new()),
        };
        self.trace(Trace::Hours { calendar: name.to_owned(), open: is_open, rule });
        if is_open { open.clone() } else { closed.clone() }
    }

    fn prompt_ended(&mut self, complete: bool) {
        let node = self.node().to_owned();
        self.trace(Trace::PromptEnded { node, complete });
    }

    /// Does what a node does once its prompts, if it has any, have been heard.
    fn after_prompt(&mut self, turn: Turn, node: &Node) -> Option<Exit> {
        match &node.kind {
            Kind::Say { next } | Kind::Part { next, .. } => return Some(next.clone()),
            Kind::Menu { timeout, .. } => return self.ask(turn, node, *timeout),
            Kind::Collect(collect) => return self.ask(turn, node, collect.timeout),
            // It has no words of its own before the question is asked.
            Kind::LookUp(_) => {}
            Kind::Set { values, next } => {
                self.set_all(values);
                return Some(next.clone());
            }
            Kind::Hours { open, closed, calendar } => return Some(self.hours(turn, calendar, open, closed)),
            Kind::Case { known, when, otherwise } => {
                let value = self.known(known);
                let found = when.iter().find(|(case, _)| *case == value);
                return Some(found.map_or(otherwise, |(_, exit)| exit).clone());
            }
            Kind::Queue(queue) => self.wait_in(node, queue),
            Kind::Transfer { to, ring, .. } => {
                let (to, ring) = (to.clone(), *ring);
                let output = match to {
                    Destination::Outside(to) => Output::Transfer { to: self.value(&to), ring },
                    Destination::Agent(agent) => Output::TransferToAgent { agent: self.value(&agent), ring },
                };
                self.leave(node, "transfer", output);
            }
            Kind::Callback(callback) => self.call_back(node, callback),
            Kind::Message(message) => {
                let (longest, silence) = (message.longest, message.silence);
                let output = Output::Message { mailbox: message.mailbox.clone(), longest, silence };
                self.leave(node, "message", output);
            }
            Kind::HangUp { reason, .. } => self.hang_up(reason),
        }
        None
    }

    fn wait_in(&mut self, node: &Node, queue: &QueueNode) {
        let wait = Wait {
            queue: queue.queue.clone(),
            language: self.value(&queue.language),
            topic: self.value(&queue.topic),
            priority: self.priority(queue.priority),
            overflow_after: queue.overflow_after,
            position_every: queue.position_every,
            music: queue.music.clone(),
            follows: queue.ended.is_some(),
            interpreter: queue.interpreter.as_ref().map(|wanted| Interpreting {
                queue: wanted.queue.clone(),
                after: wanted.after,
                within: wanted.within,
                say: self.sounds(&wanted.say),
            }),
        };
        self.leave(node, "queue", Output::Queue(wait));
    }

    /// Nobody took the call that was to be put through: why becomes known.
    fn not_put_through(&mut self, node: &Node, end: TransferEnd) -> Option<Exit> {
        let Kind::Transfer { failed, .. } = &node.kind else { return None };
        self.set_all(&[Assignment { key: FAILED.to_owned(), value: end.as_str().to_owned() }]);
        Some(failed.clone())
    }

    fn call_back(&mut self, node: &Node, callback: &CallbackNode) {
        let wish = CallBack {
            queue: callback.queue.clone(),
            number: self.value(&callback.number),
            language: self.value(&callback.language),
            topic: self.value(&callback.topic),
            priority: self.priority(callback.priority),
            tries: callback.tries,
            pause: callback.pause,
        };
        self.leave(node, "callback", Output::CallBack(wish));
    }

    /// The node's own, or what is known of the call.
    fn priority(&self, of_node: Option<u8>) -> u8 {
        of_node.or_else(|| self.known.get("priority")?.parse().ok()).unwrap_or(0)
    }

    fn leave(&mut self, node: &Node, to: &'static str, output: Output) {
        self.ahead = Bounded::new(KEYS_AHEAD_MAX);
        self.trace(Trace::Left { node: node.name.clone(), to });
        self.outputs.push_back(output);
        self.state = State::Resting;
    }

    fn hang_up(&mut self, reason: &str) {
        let node = self.node().to_owned();
        self.trace(Trace::Left { node, to: "hang_up" });
        self.outputs.push_back(Output::HangUp { reason: reason.to_owned() });
        self.state = State::Over;
    }

    fn set_all(&mut self, values: &[Assignment]) {
        for Assignment { key, value } in values {
            if key == "language" {
                self.language.clone_from(value);
            } else {
                self.known.insert(key.clone(), value.clone());
            }
            self.trace(Trace::Set { key: key.clone(), value: value.clone() });
            self.follow_consent(key);
        }
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => text.clone(),
            Value::Known(name) => self.known(name),
        }
    }

    /// Tells what has become known of the call since it came, such as another `trust`.
    pub fn tell(&mut self, name: &str, value: &str) {
        self.known.insert(name.to_owned(), value.to_owned());
    }

    /// The call's language from now on, without a word in the log.
    pub(crate) fn speak(&mut self, language: &str) {
        language.clone_into(&mut self.language);
    }

    /// What is known under a name; nothing known is an empty text.
    fn known(&self, name: &str) -> String {
        let known = if name == "language" { Some(&self.language) } else { self.known.get(name) };
        known.cloned().unwrap_or_default()
    }

    fn trace(&mut self, trace: Trace) {
        self.outputs.push_back(Output::Trace(trace));
    }
}

fn queue_exit(node: &Node, end: QueueEnd) -> Option<Exit> {
    let Kind::Queue(queue) = &node.kind else { return None };
    let exit = match end {
        QueueEnd::Overflow => &queue.overflow,
        QueueEnd::Full => &queue.full,
        QueueEnd::NobodyThere => &queue.nobody,
        QueueEnd::Ended => queue.ended.as_ref()?,
    };
    Some(exit.clone())
}

fn callback_exit(node: &Node, accepted: bool) -> Option<Exit> {
    let Kind::Callback(callback) = &node.kind else { return None };
    Some(if accepted { &callback.next } else { &callback.refused }.clone())
}

fn message_exit(node: &Node, end: MessageEnd) -> Option<Exit> {
    let Kind::Message(message) = &node.kind else { return None };
    let exit = match end {
        MessageEnd::Kept => &message.next,
        MessageEnd::Empty => &message.empty,
        MessageEnd::Failed => &message.failed,
    };
    Some(exit.clone())
}

fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')
}
