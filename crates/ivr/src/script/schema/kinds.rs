//! The kinds of nodes: what each may hold.

use super::flow::says;
use super::shapes::{duration, fits, language, like, name, named, priority, to, written};
use crate::script::kinds::limits::{
    AFTER, BETWEEN, CALLBACK_TRIES, CALLBACK_TRIES_MAX, LONGEST, MEANWHILE, PAUSE, RING, SILENCE, TIMEOUT,
    WITHIN,
};
use document::schema::{Key, Keys, Shape};

/// A kind by the key that says what a node is, and its keys.
type KeysOfKind = (&'static str, fn() -> Keys);

/// Each kind.
pub(super) const KEYS_OF_KINDS: [KeysOfKind; 16] = [
    ("say", say),
    ("menu", menu),
    ("confirm", confirm),
    ("consent", consent),
    ("collect", collect),
    ("survey", survey),
    ("set", set),
    ("hours", hours),
    ("case", case),
    ("look_up", look_up),
    ("queue", queue),
    ("transfer", transfer),
    ("callback", callback),
    ("message", message),
    ("part", part),
    ("hang_up", hang_up),
];

/// The name of a kind's definition.
pub(super) fn of_kind(kind: &str) -> String {
    format!("{kind}_node")
}

fn say() -> Keys {
    let key = |key: Key| key.required();
    Keys::new([key(says()), barge_in(), next()])
}

fn menu() -> Keys {
    let choices = Keys::default().others("^[0-9*#]$", like("choice")).least(1);
    let menu = Key::new(
        "menu",
        Shape::Table(choices),
        "What each key is for, read out in this order: 0 to 9, \"*\" and \"#\".",
    );
    let next = Key::new("next", to(), "Where keys lead that have no next of their own.");
    Keys::new([menu.required(), says(), barge_in(), next]).and(asking())
}

/// `1 = { say = "topic_work", set = { topic = "work" }, next = "queue" }` or `1 = { language = "it" }`.
pub(super) fn choice() -> Keys {
    let say = Key::new("say", like("say"), "What the key is for; press_KEY follows by itself.");
    let language = Key::new("language", language(), "The key chooses this language, and is announced in it.");
    Keys::new([
        say,
        language,
        Key::new("set", like("set"), "What becomes known of the call."),
        Key::new("next", to(), "Where the key leads; the menu's next unless said."),
    ])
    .some_of(["say", "language"])
}

fn confirm() -> Keys {
    let answers = Keys::new([
        Key::new("yes", to(), "Where 1 leads.").required(),
        Key::new("no", to(), "Where 2 leads.").required(),
    ]);
    let confirm = Key::new("confirm", Shape::Table(answers), "1 is yes, 2 is no.").required();
    Keys::new([confirm, says(), barge_in()]).and(asking())
}

fn consent() -> Keys {
    let what = "What is asked for: 1 is yes, 2 is no. The answer is known as $consent_NAME.";
    Keys::new([Key::new("consent", name(), what).required(), says(), barge_in(), next()]).and(asking())
}

fn collect() -> Keys {
    let number = "0*([1-9]|[12][0-9]|30)";
    let digits = fits(&format!("{number}(\\.\\.{number})?"));
    Keys::new([
        Key::new("collect", name(), "Digits are typed, and become known under this name.").required(),
        says(),
        barge_in(),
        Key::new("digits", digits, "How many: 6, or 4..8; 30 at most.").required(),
        Key::new("end", Shape::word(["#", "*"]), "The key that ends them sooner."),
        Key::new("between", duration(), "The pause that ends them.").unless_said(written(BETWEEN)),
        Key::new("masked", Shape::Flag, "Neither digits nor value are told to anyone, not even to the log.")
            .unless_said(false),
        next(),
    ])
    .and(asking())
}

fn survey() -> Keys {
    let keys = fits("0*[0-9](\\.\\.0*[0-9])?");
    Keys::new([
        Key::new("survey", name(), "One key answers this question; the log has survey.answered.").required(),
        says(),
        barge_in(),
        Key::new("keys", keys, "The keys that answer: 1..5.").required(),
        next(),
    ])
    .and(asking())
}

fn set() -> Keys {
    Keys::new([Key::new("set", like("set"), "What becomes known of the call.").required(), next()])
}

fn hours() -> Keys {
    Keys::new([
        Key::new("hours", Shape::Text, "The calendar that decides: calendars/NAME.toml.").required(),
        Key::new("open", to(), "The node that comes if it is open.").required(),
        Key::new("closed", to(), "The node that comes if it is closed.").required(),
    ])
}

fn case() -> Keys {
    let when = Shape::Table(Keys::default().others("", to()));
    Keys::new([
        Key::new("case", fits("\\$.+"), "What is known of the call decides: $NAME.").required(),
        Key::new("when", when, "For each value its node.").required(),
        Key::new("otherwise", to(), "The node for all other values.").required(),
    ])
}

fn look_up() -> Keys {
    let with = Shape::Table(named(Shape::Text));
    Keys::new([
        Key::new("look_up", Shape::Text, "Who is asked: look_ups/NAME.toml.").required(),
        says(),
        Key::new("with", with, "What the look-up takes: a text, or $NAME."),
        Key::new("found", to(), "The node that comes with an answer.").required(),
        Key::new("missing", to(), "The node that comes if nothing is there.").required(),
        Key::new("failed", to(), "The node that comes without an answer in time.").required(),
    ])
}

fn queue() -> Keys {
    let on = Keys::new([
        exit("overflow", "after overflow_after", "overflow"),
        exit("full", "if the queue takes nobody more", "queue_full"),
        exit("nobody", "if nobody is there who could ever take the call", "nobody_there"),
        Key::new("ended", to(), "The node that comes when the agent has hung up; the call ends unless said."),
    ]);
    Keys::new([
        Key::new("queue", name(), "The queue in which the call waits for an agent.").required(),
        says(),
        Key::new("needs", like("needs"), "What an agent needs; the call's language and topic unless said."),
        Key::new("priority", priority(), "0 to 9, 9 is served first; the call's unless said."),
        Key::new("music", Shape::Text, "What is heard meanwhile, such as moh/calm."),
        Key::new("position_every", duration(), "How often callers hear their place; never unless said."),
        Key::new(
            "interpreter",
            interpreter(),
            "Who interprets if the agent does not speak the call's language.",
        ),
        Key::new("overflow_after", duration(), "How long a call waits; for ever unless said."),
        outcomes(on),
    ])
}

fn interpreter() -> Shape {
    let keys = [
        Key::new("queue", name(), "The queue whose agents interpret.").required(),
        Key::new("after", duration(), "How long only agents with the call's language are sought.")
            .unless_said(written(AFTER)),
        Key::new("within", duration(), "How long an interpreter is sought.").unless_said(written(WITHIN)),
        Key::new("say", like("say"), "What is heard meanwhile, before the music.").unless_said(MEANWHILE),
    ];
    Shape::Either(vec![name(), Shape::Table(Keys::new(keys))])
}

fn transfer() -> Keys {
    let target = fits(
        "\\$.*|\\+?[0-9]{2,20}|sips?:[!-~]+|agent:(\\$.*|[A-Za-z0-9+_.-]{1,40})|service:[A-Za-z0-9+*#_.-]{1,40}|body:[a-z][a-z0-9_-]{0,39}",
    );
    Keys::new([
        Key::new(
            "transfer",
            target,
            "Where the call is put through to: a number, sip:USER@HOST, agent:NAME, service:NUMBER, body:NAME, or $NAME.",
        )
        .required(),
        says(),
        Key::new("ring", duration(), "How long it rings there.").unless_said(written(RING)),
        outcomes(Keys::new([exit("failed", "if nobody answers", "transfer_failed")])),
    ])
}

fn callback() -> Keys {
    Keys::new([
        Key::new("callback", name(), "The queue whose agents call the caller back.").required(),
        says(),
        Key::new("number", Shape::Text, "Whom they call: a number, or $NAME.").unless_said("$caller"),
        Key::new("needs", like("needs"), "What an agent needs; the call's language and topic unless said."),
        Key::new("priority", priority(), "0 to 9, 9 is served first; the call's unless said."),
        Key::new("tries", Shape::Number(1, CALLBACK_TRIES_MAX), "How often they call.")
            .unless_said(CALLBACK_TRIES),
        Key::new("pause", duration(), "Between one try and the next.").unless_said(written(PAUSE)),
        next(),
        outcomes(Keys::new([exit("refused", "if the number is not called back", "callback_refused")])),
    ])
}

fn message() -> Keys {
    let on = Keys::new([
        exit("empty", "if nothing was said", "no_message"),
        exit("failed", "if it cannot be kept", "message_failed"),
    ]);
    Keys::new([
        Key::new("message", name(), "The mailbox in which the caller leaves a message.").required(),
        says(),
        Key::new("longest", duration(), "How long it may be.").unless_said(written(LONGEST)),
        Key::new("silence", duration(), "The silence that ends it.").unless_said(written(SILENCE)),
        next(),
        outcomes(on),
    ])
}

fn part() -> Keys {
    Keys::new([
        Key::new("part", Shape::Text, "The piece of flow that stands here: parts/NAME.toml.").required(),
        Key::new("with", Shape::Table(named(Shape::Text)), "What is given for each of its parameters."),
        Key::new("on", Shape::Table(named(to())), "The node that each of its exits leads to."),
    ])
}

fn hang_up() -> Keys {
    Keys::new([
        Key::new("hang_up", name(), "The call ends, with this reason in the log.").required(),
        says(),
        Key::new("refusal", Shape::Flag, "Who comes here is meant to get no human.").unless_said(false),
    ])
}

fn next() -> Key {
    Key::new("next", to(), "The node that comes then.").required()
}

fn barge_in() -> Key {
    Key::new("barge_in", Shape::Flag, "Whether a key cuts short what is said.").unless_said(true)
}

/// What all questions to the caller take.
fn asking() -> [Key; 3] {
    let then = "Where it leads, or how often it is asked and what is said between.";
    [
        Key::new("timeout", duration(), "How long a key is waited for after the last word.")
            .unless_said(written(TIMEOUT)),
        Key::new("no_input", like("retry"), format!("Nothing is pressed. {then}")),
        Key::new("no_match", like("retry"), format!("A wrong key is pressed. {then}")),
    ]
}

fn outcomes(keys: Keys) -> Key {
    Key::new("on", Shape::Table(keys), "Where the call goes on, by what happens.")
}

fn exit(name: &'static str, when: &str, reason: &str) -> Key {
    Key::new(name, to(), format!("The node that comes {when}; the call ends as {reason} unless said."))
}
