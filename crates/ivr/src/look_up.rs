//! What a look-up is: where a question goes, what it takes and what it gives. Who asks is not part of this crate.

use crate::Fault;
use crate::script::{NAME_SHAPE, duration, is_name};
use document::{Document, Entry, Section};
use std::collections::BTreeMap;
use std::time::Duration;

/// The most bytes of an answer that are read.
pub const ANSWER_MAX: usize = 256 * 1024;

/// The most characters of a value that becomes known of a call; longer ones are cut.
pub const VALUE_MAX: usize = 200;

/// How long an answer is waited for, unless the file says.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

/// Nobody waits longer on a telephone.
const DEADLINE_MAX: Duration = Duration::from_secs(30);

/// A question that scripts ask: `look_ups/NAME.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LookUp {
    /// The file's name.
    pub name: String,
    /// What faults call the file: its path, where it was read from a disk.
    pub file: String,
    /// What has to be given, by name.
    pub takes: Vec<String>,
    /// What becomes known of the call, and where it stands in the answer: a JSON Pointer (RFC 6901) of HTTP's,
    /// a column of the others'.
    pub gives: BTreeMap<String, String>,
    /// How long an answer is waited for.
    pub deadline: Duration,
    /// How long an answer holds for the next caller with the same question.
    pub cache: Option<Duration>,
    /// What is known where nobody answers; then it counts as found.
    pub default: Option<BTreeMap<String, String>>,
    /// Who is asked.
    pub source: Source,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// An HTTP service that answers JSON; 404 is that nothing is there.
    Http(Http),
    /// A table in a file: the row whose columns hold what is given.
    Csv(Csv),
    /// PostgreSQL.
    Sql(Sql),
}

/// An HTTP service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Http {
    /// `http:` or `https:`; `{NAME}` stands for what is given, percent-encoded.
    pub url: String,
    /// Sent as JSON by POST: all that is given, by name. Without it GET is used.
    pub post: bool,
    /// Name and value.
    pub headers: Vec<(String, Secret)>,
}

/// A file of comma-separated values (RFC 4180) with a line of names, beside the look-up's own file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Csv {
    /// Its name.
    pub file: String,
    /// Which column holds what is given, for each name of `takes`.
    pub columns: BTreeMap<String, String>,
}

/// A statement that reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sql {
    /// `postgres://…`.
    pub connection: Secret,
    /// With `$1`, `$2` … for what is given, in the order of `takes`.
    pub statement: String,
}

/// A text that need not stand in the file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Secret {
    /// As it is written.
    Plain(String),
    /// `env:NAME`: of the environment.
    Environment(String),
    /// `file:PATH`: the first line of a file.
    File(String),
}

impl Secret {
    /// How a secret is written, wherever one may be.
    pub fn parse(text: &str) -> Secret {
        match (text.strip_prefix("env:"), text.strip_prefix("file:")) {
            (Some(name), _) => Secret::Environment(name.to_owned()),
            (_, Some(path)) => Secret::File(path.to_owned()),
            (None, None) => Secret::Plain(text.to_owned()),
        }
    }
}

impl LookUp {
    /// Checks the look-up `name` written in `text`, which came from `file`. All faults at once, by place.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<LookUp, Vec<Fault>> {
        let (mut document, table) = Document::parse(file, text);
        let look_up =
            table.as_ref().and_then(|table| read(&mut document, (name, file), Section::new(table, 0)));
        let faults = document.into_faults();
        match look_up {
            Some(look_up) if faults.is_empty() => Ok(look_up),
            _ => Err(faults),
        }
    }
}

fn read(document: &mut Document<'_>, (name, file): (&str, &str), mut root: Section<'_>) -> Option<LookUp> {
    let takes = takes(document, &mut root);
    let gives = gives(document, &mut root);
    let deadline = deadline(document, &mut root);
    let cache = root.take("cache").and_then(|entry| span(document, &entry));
    let default = root.take("default").map(|entry| texts(document, &entry, |name| gives.contains_key(name)));
    let source = source(document, &mut root, &takes);
    root.finish(document);
    let (name, file) = (name.to_owned(), file.to_owned());
    Some(LookUp { name, file, takes, gives, deadline, cache, default, source: source? })
}

fn takes(document: &mut Document<'_>, root: &mut Section<'_>) -> Vec<String> {
    let hint = "name what is given with the question, such as takes = [\"number\"]";
    let Some(entry) = root.require(document, "takes", hint) else { return Vec::new() };
    let texts = document.texts(&entry);
    let mut takes = Vec::new();
    for (text, at) in texts {
        if is_name(text) {
            takes.push(text.to_owned());
        } else {
            document.fault(at, format!("`{text}` is no name"), NAME_SHAPE);
        }
    }
    takes
}

/// `gives = { priority = "/profile/priority" }`, or `gives = ["profile"]` where the names are the same.
fn gives(document: &mut Document<'_>, root: &mut Section<'_>) -> BTreeMap<String, String> {
    let hint = "name what becomes known, such as gives = { priority = \"/profile\" }";
    let Some(entry) = root.require(document, "gives", hint) else { return BTreeMap::new() };
    if !entry.value.get_ref().is_table() {
        let listed = document.texts(&entry);
        return listed.into_iter().map(|(name, _)| (name.to_owned(), name.to_owned())).collect();
    }
    texts(document, &entry, |_| true)
}

/// A table of texts by name, each of which must be `known`.
fn texts(
    document: &mut Document<'_>,
    entry: &Entry<'_>,
    known: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for one in document.section(entry).map(Section::rest).unwrap_or_default() {
        if !is_name(one.name) {
            document.fault(one.at, format!("`{}` is no name", one.name), NAME_SHAPE);
        } else if !known(one.name) {
            let what = format!("`{}` is not among what it gives", one.name);
            document.fault(one.at, what, "name it in `gives`, or take it out");
        } else if let Some(text) = document.text(&one) {
            texts.insert(one.name.to_owned(), text.to_owned());
        }
    }
    texts
}

fn deadline(document: &mut Document<'_>, root: &mut Section<'_>) -> Duration {
    let Some(entry) = root.take("deadline") else { return DEADLINE };
    let deadline = span(document, &entry).unwrap_or(DEADLINE);
    if deadline > DEADLINE_MAX {
        document.fault(entry.value_at(), "nobody waits so long on a telephone", "choose 30s at most");
    }
    deadline
}

fn span(document: &mut Document<'_>, entry: &Entry<'_>) -> Option<Duration> {
    let text = document.text(entry)?;
    let span = duration(text);
    if span.is_none() {
        let what = format!("`{text}` is no duration");
        document.fault(entry.value_at(), what, "write it like \"2s\" or \"5m\", a day at most");
    }
    span
}

fn source(document: &mut Document<'_>, root: &mut Section<'_>, takes: &[String]) -> Option<Source> {
    let at = root.at;
    let tables = [root.take("http"), root.take("csv"), root.take("sql")];
    match tables {
        [Some(http), None, None] => http_source(document, &http, takes).map(Source::Http),
        [None, Some(csv), None] => csv_source(document, &csv, takes).map(Source::Csv),
        [None, None, Some(sql)] => sql_source(document, &sql, takes).map(Source::Sql),
        _ => {
            document.fault(at, "a look-up asks one source", "write one of [http], [csv] and [sql]");
            None
        }
    }
}

fn http_source(document: &mut Document<'_>, entry: &Entry<'_>, takes: &[String]) -> Option<Http> {
    let mut section = document.section(entry)?;
    let url = section.require(document, "url", "write the address of the service");
    let url = url.and_then(|url| Some((document.text(&url)?.to_owned(), url.value_at())));
    let post = section.take("post").and_then(|post| document.flag(&post)).unwrap_or(false);
    let headers = section.take("headers").and_then(|headers| document.section(&headers)).map(Section::rest);
    let headers = headers.unwrap_or_default();
    let headers = headers
        .iter()
        .filter_map(|header| Some((header.name.to_owned(), Secret::parse(document.text(header)?))))
        .collect();
    section.finish(document);
    let (url, at) = url?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        document.fault(at, format!("`{url}` is no address of a service"), "begin it with https://");
    }
    for name in placeholders(&url).filter(|name| !takes.iter().any(|known| known == name)) {
        document.fault(at, format!("`{{{name}}}` is not given"), "name it in `takes`, or take it out");
    }
    Some(Http { url, post, headers })
}

/// The names in `{ }`.
fn placeholders(url: &str) -> impl Iterator<Item = &str> {
    url.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0))
}

fn csv_source(document: &mut Document<'_>, entry: &Entry<'_>, takes: &[String]) -> Option<Csv> {
    let mut section = document.section(entry)?;
    let file = section.require(document, "file", "name the table");
    let file = file.and_then(|file| Some((document.text(&file)?.to_owned(), file.value_at())));
    let columns = section
        .take("columns")
        .map(|columns| texts(document, &columns, |name| takes.iter().any(|known| known == name)));
    section.finish(document);
    let (file, at) = file?;
    if file.is_empty() || file.contains(['/', '\\']) || file.starts_with('.') {
        document.fault(at, format!("`{file}` is no file beside this one"), "put the table into look_ups/");
    }
    let mut columns = columns.unwrap_or_default();
    for name in takes {
        columns.entry(name.clone()).or_insert_with(|| name.clone());
    }
    Some(Csv { file, columns })
}

fn sql_source(document: &mut Document<'_>, entry: &Entry<'_>, takes: &[String]) -> Option<Sql> {
    let mut section = document.section(entry)?;
    let hint = "write \"env:NAME\" or \"file:PATH\" of a postgres:// address";
    let connection = section.require(document, "connection", hint);
    let connection = connection.and_then(|entry| document.text(&entry)).map(Secret::parse);
    let statement =
        section.require(document, "statement", "write what is selected, with $1 for what is given");
    let statement = statement.and_then(|entry| Some((document.text(&entry)?.to_owned(), entry.value_at())));
    section.finish(document);
    let (statement, at) = statement?;
    if !statement.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select")) {
        document.fault(at, "a look-up reads and does not write", "begin it with select");
    }
    for (place, name) in takes.iter().enumerate() {
        if !statement.contains(&format!("${}", place + 1)) {
            let what = format!("the statement does not use `{name}`");
            document.fault(at, what, format!("write ${} where it belongs", place + 1));
        }
    }
    Some(Sql { connection: connection?, statement })
}
