use crate::script::{Assignment, Choice, Exit, Kind, Line, Node, NodeId, QueueNode, Retry, Value, press};
use crate::{Entry, Input, Output, QueueEnd, Script, Trace, Wait, Why};
use base::{Bounded, Time, Wall};
use media_api::Sound;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

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
    outputs: VecDeque<Output>,
    preset: Vec<Assignment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before `Start`.
    New,
    /// The node's prompts are heard.
    Playing,
    /// The menu's prompts have ended.
    Asking { until: Time },
    /// In a queue or a transfer.
    Resting,
    /// Nothing more comes.
    Over,
}

impl Interpreter {
    /// A call that came as `entry` says. Nothing happens before `Input::Start`.
    pub fn new(script: Arc<Script>, entry: Entry) -> Interpreter {
        let flow = script.flow();
        let number = flow.numbers.get(&entry.dialled);
        let node = number.map_or(flow.start, |number| number.start);
        let mut preset = number.map(|number| number.set.clone()).unwrap_or_default();
        let language = entry.language.filter(|language| flow.languages.contains(language));
        if let Some(language) = language {
            preset.retain(|set| set.key != "language");
            preset.insert(0, Assignment { key: "language".to_owned(), value: language });
        }
        Interpreter {
            node,
            state: State::New,
            language: flow.languages.first().cloned().unwrap_or_default(),
            known: BTreeMap::new(),
            ahead: Bounded::new(KEYS_AHEAD_MAX),
            no_inputs: 0,
            no_matches: 0,
            outputs: VecDeque::new(),
            preset,
            script,
        }
    }

    /// Takes one input. Drain the outputs before the next one. What does not fit the moment is passed over.
    pub fn handle(&mut self, now: Time, wall: Wall, input: Input) {
        let turn = Turn { now, wall };
        match (self.state, input) {
            (State::New, Input::Start) => self.start(turn),
            (State::New, Input::Digit(key)) => self.keep(key),
            (State::Playing, Input::Played { complete }) => {
                self.prompt_ended(complete);
                self.go_on(turn, |call, node| call.after_prompt(turn, node));
            }
            (State::Playing, Input::Digit(key)) if is_key(key) => {
                self.go_on(turn, |call, node| call.key_during_prompt(node, key));
            }
            (State::Asking { .. }, Input::Digit(key)) if is_key(key) => {
                self.go_on(turn, |call, node| call.choose(node, key));
            }
            (State::Resting, Input::QueueEnded(end)) => self.go_on(turn, |_, node| queue_exit(node, end)),
            (State::Resting, Input::TransferFailed) => self.go_on(turn, |_, node| failed_exit(node)),
            _ => {}
        }
    }

    /// To be called when the deadline of `poll_timeout` has come; earlier is harmless.
    pub fn handle_timeout(&mut self, now: Time, wall: Wall) {
        if let State::Asking { until } = self.state
            && until <= now
        {
            self.go_on(Turn { now, wall }, Interpreter::no_input);
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
            _ => None,
        }
    }

    /// The call's language now.
    pub fn language(&self) -> &str {
        &self.language
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
        self.walk(turn, Exit::To(self.node));
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
            Kind::Set { .. } | Kind::Hours { .. } | Kind::Case { .. } => self.after_prompt(turn, node),
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
        let decision = self.script.calendar(name).map(|calendar| calendar.at(turn.wall));
        let (is_open, rule) =
            decision.map_or((false, String::new()), |decision| (decision.open, decision.rule));
        self.trace(Trace::Hours { calendar: name.to_owned(), open: is_open, rule });
        if is_open { open.clone() } else { closed.clone() }
    }

    fn play(&mut self, node: &Node, sounds: Vec<Sound>) {
        let best = |sound: &Sound| sound.first().map_or(String::new(), |source| source.to_string());
        let prompts = sounds.iter().map(best).collect();
        self.trace(Trace::PromptStarted { node: node.name.clone(), prompts });
        self.outputs.push_back(Output::Play { sounds });
        self.state = State::Playing;
    }

    fn prompt_ended(&mut self, complete: bool) {
        let node = self.node().to_owned();
        self.trace(Trace::PromptEnded { node, complete });
    }

    /// Does what a node does once its prompts, if it has any, have been heard.
    fn after_prompt(&mut self, turn: Turn, node: &Node) -> Option<Exit> {
        match &node.kind {
            Kind::Say { next } => return Some(next.clone()),
            Kind::Menu { timeout, .. } => return self.ask(turn, node, *timeout),
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
                let to = self.value(to);
                self.leave(node, "transfer", Output::Transfer { to, ring: *ring });
            }
            Kind::HangUp { reason } => self.hang_up(reason),
        }
        None
    }

    fn wait_in(&mut self, node: &Node, queue: &QueueNode) {
        let priority = queue.priority.or_else(|| self.known.get("priority")?.parse().ok());
        let wait = Wait {
            queue: queue.queue.clone(),
            language: self.value(&queue.language),
            topic: self.value(&queue.topic),
            priority: priority.unwrap_or(0),
            overflow_after: queue.overflow_after,
            position_every: queue.position_every,
            music: queue.music.clone(),
        };
        self.leave(node, "queue", Output::Queue(wait));
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
        }
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => text.clone(),
            Value::Known(name) => self.known(name),
        }
    }

    /// Tells what is known of the call before the script begins: `trust`, from 0 to 100.
    pub fn tell(&mut self, name: &str, value: &str) {
        self.known.insert(name.to_owned(), value.to_owned());
    }

    /// What is known under a name; nothing known is an empty text.
    fn known(&self, name: &str) -> String {
        let known = if name == "language" { Some(&self.language) } else { self.known.get(name) };
        known.cloned().unwrap_or_default()
    }

    fn sounds(&self, lines: &[Line]) -> Vec<Sound> {
        lines.iter().filter_map(|line| self.sound(&line.phrase, line)).collect()
    }

    /// The sound of `phrase` in the language of `line`.
    fn sound(&self, phrase: &str, line: &Line) -> Option<Sound> {
        self.script.sound(phrase, line.language.as_deref().unwrap_or(&self.language))
    }

    fn trace(&mut self, trace: Trace) {
        self.outputs.push_back(Output::Trace(trace));
    }
}

/// Menus and keys.
impl Interpreter {
    /// Answers with a key pressed ahead, or reads the menu out.
    fn open_menu(&mut self, node: &Node) -> Option<Exit> {
        (self.no_inputs, self.no_matches) = (0, 0);
        let ahead = if node.barge_in { self.ahead.pop() } else { None };
        if let Some(key) = ahead {
            return self.choose(node, key);
        }
        self.read_out(node, &[]);
        None
    }

    fn read_out(&mut self, node: &Node, before: &[Line]) {
        let Kind::Menu { choices, .. } = &node.kind else { return };
        let mut sounds = self.sounds(before);
        sounds.extend(self.sounds(&node.say));
        for choice in choices {
            for line in &choice.say {
                sounds.extend(self.sound(&line.phrase, line));
                sounds.extend(self.sound(&press(choice.key), line));
            }
        }
        self.play(node, sounds);
    }

    /// The menu has been read out: a key may already have been pressed.
    fn ask(&mut self, turn: Turn, node: &Node, timeout: Duration) -> Option<Exit> {
        if let Some(key) = self.ahead.pop() {
            return self.choose(node, key);
        }
        self.state = State::Asking { until: turn.now + timeout };
        None
    }

    fn key_during_prompt(&mut self, node: &Node, key: char) -> Option<Exit> {
        match &node.kind {
            Kind::Menu { .. } if node.barge_in => {
                self.cut();
                self.choose(node, key)
            }
            Kind::Say { next } if node.barge_in => {
                self.keep(key);
                if !node.asks {
                    return None;
                }
                self.cut();
                Some(next.clone())
            }
            _ => None,
        }
    }

    fn cut(&mut self) {
        self.outputs.push_back(Output::Stop);
        self.prompt_ended(false);
    }

    fn keep(&mut self, key: char) {
        if is_key(key) {
            // The rule for a full buffer: the newest key is lost.
            let _lost = self.ahead.push(key);
        }
    }

    /// What `key` leads to in the menu `node`. `None` if the menu is heard again.
    fn choose(&mut self, node: &Node, key: char) -> Option<Exit> {
        let Kind::Menu { choices, no_match, .. } = &node.kind else { return None };
        let Some(choice) = choices.iter().find(|choice| choice.key == key) else {
            self.no_matches += 1;
            // Whoever missed one key did not mean the ones after it either.
            self.ahead = Bounded::new(KEYS_AHEAD_MAX);
            self.trace(Trace::NoMatch { node: node.name.clone(), key, attempt: self.no_matches });
            return self.again(node, no_match, self.no_matches);
        };
        self.trace(Trace::Chosen { node: node.name.clone(), key, choice: self.chosen(choice) });
        self.set_all(&choice.set);
        Some(choice.next.clone())
    }

    /// What the log says that a key chose: the value that it set, or else the node that it led to.
    fn chosen(&self, choice: &Choice) -> String {
        match (choice.set.first(), &choice.next) {
            (Some(set), _) => set.value.clone(),
            (None, Exit::To(id)) => {
                self.script.flow().nodes.get(*id).map_or(String::new(), |node| node.name.clone())
            }
            (None, Exit::HangUp(reason)) => (*reason).to_owned(),
        }
    }

    fn no_input(&mut self, node: &Node) -> Option<Exit> {
        let Kind::Menu { no_input, .. } = &node.kind else { return None };
        self.no_inputs += 1;
        self.trace(Trace::NoInput { node: node.name.clone(), attempt: self.no_inputs });
        self.again(node, no_input, self.no_inputs)
    }

    /// Reads the menu out again, unless it has been tried often enough.
    fn again(&mut self, node: &Node, retry: &Retry, attempt: u32) -> Option<Exit> {
        if attempt >= retry.tries {
            return Some(retry.next.clone());
        }
        self.read_out(node, &retry.say);
        None
    }
}

fn queue_exit(node: &Node, end: QueueEnd) -> Option<Exit> {
    let Kind::Queue(queue) = &node.kind else { return None };
    let exit = match end {
        QueueEnd::Overflow => &queue.overflow,
        QueueEnd::Full => &queue.full,
        QueueEnd::NobodyThere => &queue.nobody,
    };
    Some(exit.clone())
}

fn failed_exit(node: &Node) -> Option<Exit> {
    let Kind::Transfer { failed, .. } = &node.kind else { return None };
    Some(failed.clone())
}

fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')
}
