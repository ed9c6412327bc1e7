//! `look_ups/NAME.toml`.

use super::shapes::{NAME, duration, named, written};
use crate::look_up::DEADLINE;
use document::schema::{Key, Keys, Schema, Shape};

/// What `look_ups/NAME.toml` may hold.
pub fn look_up() -> Schema {
    let name = || Shape::Fits(format!("^{NAME}$"));
    let texts = || Shape::Table(named(Shape::Text));
    let gives = Shape::Either(vec![texts(), Shape::Text.one_or_more(0)]);
    let keys = [
        Key::new("takes", name().one_or_more(0), "What has to be given with the question.").required(),
        Key::new(
            "gives",
            gives,
            "What becomes known of the call, and where it stands in the answer: a JSON Pointer, or a column.",
        )
        .required(),
        Key::new("deadline", duration(), "How long an answer is waited for; 30s at most.")
            .unless_said(written(DEADLINE)),
        Key::new("cache", duration(), "How long an answer holds; not at all unless said."),
        Key::new("default", texts(), "What is known where nobody answers; then it counts as found."),
        Key::new("http", Shape::Table(http()), "An HTTP service that answers JSON; 404 is missing."),
        Key::new("csv", Shape::Table(csv()), "A table beside this file: the first row that fits."),
        Key::new("sql", Shape::Table(sql()), "A PostgreSQL database: the first row of a select."),
    ];
    Schema {
        title: "look_ups/NAME.toml",
        meaning: "Who is asked what is known of a caller: one of [http], [csv] and [sql].",
        keys: Keys::new(keys).exactly_one([["http"], ["csv"], ["sql"]]),
        definitions: super::shapes::definitions()
            .into_iter()
            .filter(|(name, _)| name == "duration")
            .collect(),
    }
}

fn http() -> Keys {
    let headers = Shape::Table(Keys::default().others("", Shape::Text));
    let url = Shape::Fits("^https?://".to_owned());
    Keys::new([
        Key::new("url", url, "The address; {NAME} stands for what is given.").required(),
        Key::new("post", Shape::Flag, "true: what is given goes as JSON.").unless_said(false),
        Key::new(
            "headers",
            headers,
            "Headers of the question; env:NAME and file:PATH keep secrets elsewhere.",
        ),
    ])
}

fn csv() -> Keys {
    let file = Shape::Fits("^[^./\\\\][^/\\\\]*$".to_owned());
    let columns = Shape::Table(named(Shape::Text));
    Keys::new([
        Key::new("file", file, "The table, in UTF-8 with commas and a line of names.").required(),
        Key::new(
            "columns",
            columns,
            "The column of each thing that is given; that of its own name unless said.",
        ),
    ])
}

fn sql() -> Keys {
    let statement = Shape::Fits("^\\s*[Ss][Ee][Ll][Ee][Cc][Tt]".to_owned());
    Keys::new([
        Key::new("connection", Shape::Text, "env:NAME or file:PATH of a postgres:// address.").required(),
        Key::new("statement", statement, "A select with $1, $2 … for what is given, in the order of takes.")
            .required(),
    ])
}
