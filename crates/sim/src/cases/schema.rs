//! What `tests/NAME.toml` may hold, for editors. Each key that `read`, `given` and `expected` take has its line here.

use super::given::{AGENT_DOES, ANONYMOUS, AT, CALLBACKS, DIALLED, DOES, MESSAGES};
use document::schema::{Key, Keys, Schema, Shape};

/// What a file of cases may hold.
pub fn schema() -> Schema {
    let case = Keys::new([
        Key::new("name", Shape::Text, "What the case shows, in a person's words.").required(),
        Key::new(
            "expect",
            Shape::Table(expect()),
            "What shall come of the call; only what is named is compared.",
        )
        .required(),
    ]);
    let keys = [
        Key::new(
            "every",
            Shape::Table(Keys::new(given())),
            "What holds in every case that does not say otherwise.",
        ),
        Key::new(
            "case",
            Shape::List(Box::new(Shape::Table(case.and(given()))), 1),
            "A call, and what shall come of it.",
        )
        .required(),
    ];
    Schema {
        title: "tests/NAME.toml",
        meaning: "Calls as people would make them, and what shall come of them; `cornetta ivr test` plays them.",
        keys: Keys::new(keys),
        definitions: Vec::new(),
    }
}

fn given() -> [Key; 13] {
    let group = "(wait\\s+[0-9.]+[smh]|[0-9A-D*#]+)?";
    let keys = Shape::Fits(format!("^\\s*{group}\\s*(,\\s*{group}\\s*)*$"));
    let found = Shape::Table(Keys::default().others("", Shape::Text));
    let found = Keys::new([Key::new("found", found, "What it finds, by name.").required()]);
    let answers = Shape::Either(vec![Shape::word(["missing", "failed", "late"]), Shape::Table(found)]);
    [
        Key::new("dialled", user(), "The number that is dialled.").unless_said(DIALLED),
        Key::new("from", user(), "Who calls.").unless_said(ANONYMOUS),
        Key::new("at", Shape::Text, "When, by the calendar's clocks: 2027-04-25 10:00.").unless_said(AT),
        Key::new(
            "keys",
            keys,
            "What is pressed, a group whenever something is asked for: \"1, wait 3s, 2, 4711#\".",
        ),
        Key::new(
            "look_ups",
            Shape::Table(Keys::default().others("", answers)),
            "What each look-up answers; it fails unless said.",
        ),
        Key::new("agents", Shape::List(Box::new(Shape::Table(agent())), 0), "Who is there."),
        Key::new("full", Shape::Text.one_or_more(0), "Queues that take nobody more."),
        Key::new("outside", words(&DOES), "What the party does that the script puts callers through to.")
            .unless_said("answers"),
        Key::new("message", words(&MESSAGES), "What becomes of a message.").unless_said("kept"),
        Key::new("callback", words(&CALLBACKS), "What becomes of a wish to be called back.")
            .unless_said("accepted"),
        Key::new(
            "emergency",
            Shape::Text,
            "The desk is closed by command, and this phrase is heard first; \"\" for none.",
        ),
        Key::new(
            "remembered",
            Shape::Text,
            "The language that the script remembers of the caller; \"\" for none.",
        ),
        Key::new("hangs_up_after", span(), "The caller hangs up so long after the answer."),
    ]
}

fn user() -> Shape {
    Shape::Fits("^[A-Za-z0-9+_.-]+$".to_owned())
}

fn agent() -> Keys {
    Keys::new([
        Key::new("name", user(), "Who it is.").required(),
        Key::new(
            "languages",
            Shape::Text.one_or_more(0),
            "What they speak; all of the script's unless said.",
        ),
        Key::new("queues", Shape::Text.one_or_more(0), "Whom they answer; all of the script's unless said."),
        Key::new("topics", Shape::Text.one_or_more(0), "What they know; everything unless said."),
        Key::new(
            "does",
            words(&AGENT_DOES),
            "What they do when it rings; or that they pause, or are not there.",
        )
        .unless_said("answers"),
    ])
}

fn expect() -> Keys {
    let phrases = || Shape::Text.one_or_more(0);
    Keys::new([
        Key::new(
            "nodes",
            Shape::Text.one_or_more(0),
            "The nodes that the call comes to, in order; \"...\" stands for any.",
        ),
        Key::new("says", phrases(), "Phrases that are heard, in this order: welcome@it, welcome, digit_*."),
        Key::new("never_says", phrases(), "Phrases that are not heard."),
        Key::new("queue", Shape::Text, "Where it waited last; \"\" for nowhere."),
        Key::new("agent", Shape::Text, "Who took it; \"\" for nobody."),
        Key::new("interpreter", Shape::Text, "Who interpreted; \"\" for nobody."),
        Key::new("transfer", Shape::Text, "To whom it was put through; \"\" for nobody."),
        Key::new("language", Shape::Text, "Its language in the end."),
        Key::new(
            "remembered",
            Shape::Text,
            "The language that is remembered of the caller then; \"\" for nothing.",
        ),
        Key::new("topic", Shape::Text, "Its topic in the end."),
        Key::new("priority", Shape::Number(0, 9), "Its priority in the end."),
        Key::new(
            "known",
            Shape::Table(Keys::default().others("", Shape::Text)),
            "What is known of it in the end, by the script's names.",
        ),
        Key::new(
            "ends",
            Shape::Text,
            "The reason of hang_up; talked, if somebody was spoken with; hung_up, if the caller gave up.",
        ),
        Key::new("at_least", span(), "From the answer to a human or, without one, to the end."),
        Key::new("at_most", span(), "From the answer to a human or, without one, to the end."),
    ])
}

fn words<T>(words: &[(&str, T)]) -> Shape {
    Shape::word(words.iter().map(|(word, _)| *word))
}

/// As `read::span`.
fn span() -> Shape {
    Shape::Fits("^[0-9.]+[smh]$".to_owned())
}
