//! Secrets that stand in a look-up's file: taken out of the copy that is kept of it, and put in again from another.

use crate::LookUp;
use document::{Document, Entry, Section};
use std::ops::Range;

/// What stands in the place of a secret, quotes and all.
const VEIL: &str = "\"(secret)\"";

/// What is kept of a file with faults: it may have secrets anywhere.
const UNREADABLE: &str =
    "# It was not kept: it has faults, so that nobody knows where secrets stand in it.\n";

/// A value that no file should have, and where it stands, quotes and all.
struct Written {
    /// Such as `headers.Authorization`.
    key: String,
    span: Range<usize>,
}

/// The look-up `text` without the values of HTTP's headers and of SQL's connection that stand in it. Those of the
/// environment and of other files are no secrets: their names stay.
pub(crate) fn veiled(text: &str) -> String {
    let sound = LookUp::parse("", "", text).is_ok();
    let Some(mut secrets) = secrets(text).filter(|_| sound) else { return UNREADABLE.to_owned() };
    secrets.sort_by_key(|secret| secret.span.start);
    let mut veiled = text.to_owned();
    for secret in secrets.iter().rev() {
        veiled.replace_range(secret.span.clone(), VEIL);
    }
    veiled
}

/// The look-up `kept`, with the secrets that `present` has under the same names. The names of those that it has not, if
/// there are any.
pub fn unveiled(kept: &str, present: Option<&str>) -> Result<String, Vec<String>> {
    let mut wanted = secrets(kept).unwrap_or_default();
    wanted.retain(|secret| kept.get(secret.span.clone()) == Some(VEIL));
    wanted.sort_by_key(|secret| secret.span.start);
    let present = present.unwrap_or_default();
    let there = secrets(present).unwrap_or_default();
    let (mut text, mut missing) = (kept.to_owned(), Vec::new());
    for secret in wanted.into_iter().rev() {
        let same = there.iter().find(|other| other.key == secret.key);
        match same.and_then(|other| present.get(other.span.clone())).filter(|value| *value != VEIL) {
            Some(value) => text.replace_range(secret.span, value),
            None => missing.push(secret.key),
        }
    }
    missing.reverse();
    if missing.is_empty() { Ok(text) } else { Err(missing) }
}

/// Those that stand in a look-up; nothing if it is no TOML.
fn secrets(text: &str) -> Option<Vec<Written>> {
    let (mut document, table) = Document::parse("", text);
    let table = table?;
    let mut root = Section::new(&table, 0);
    let mut secrets = Vec::new();
    let http = root.take("http").and_then(|http| document.section(&http));
    let headers = http.and_then(|mut http| http.take("headers")).and_then(|entry| document.section(&entry));
    for header in headers.map(Section::rest).unwrap_or_default() {
        secrets.extend(written(format!("headers.{}", header.name), &header));
    }
    let sql = root.take("sql").and_then(|sql| document.section(&sql));
    let connection = sql.and_then(|mut sql| sql.take("connection"));
    secrets.extend(connection.and_then(|entry| written("connection".to_owned(), &entry)));
    Some(secrets)
}

fn written(key: String, entry: &Entry<'_>) -> Option<Written> {
    let text = entry.value.get_ref().as_str()?;
    let is_elsewhere = text.starts_with("env:") || text.starts_with("file:");
    (!is_elsewhere).then(|| Written { key, span: entry.value.span() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTP: &str = "takes = [\"n\"]\ngives = { a = \"/a\" }\n[http]\nurl = \"https://x/{n}\"\nheaders = { Authorization = \"Bearer àbc\", X-Key = 'k1', Y = \"env:Y\" }\n";

    #[test]
    fn what_stands_in_the_file_is_veiled_and_what_stands_elsewhere_is_not() {
        let veiled = veiled(HTTP);
        assert!(!veiled.contains("àbc") && !veiled.contains("k1"), "{veiled}");
        assert!(
            veiled.contains("Authorization = \"(secret)\", X-Key = \"(secret)\", Y = \"env:Y\""),
            "{veiled}"
        );
        assert_eq!(super::veiled(&veiled), veiled);
        let sql = "takes = [\"n\"]\ngives = { a = \"a\" }\n[sql]\nconnection = \"postgres://u:p@h/d\"\nstatement = \"select a from b where c = $1\"\n";
        assert_eq!(super::veiled(sql), sql.replace("postgres://u:p@h/d", "(secret)"));
    }

    #[test]
    fn nothing_is_kept_of_a_file_in_which_a_secret_may_stand_anywhere() {
        for broken in [
            "connection = \"postgres://u:p",
            "[sql]\nconection = \"postgres://u:p@h/d\"\n",
            "[[http]]\nheaders = { A = \"k\" }\n",
            "[sql]\nconnection = \"postgres://a:p@h/d\"\nconnection = \"postgres://b:p@h/d\"\n",
        ] {
            assert_eq!(veiled(broken), UNREADABLE, "{broken}");
        }
    }

    #[test]
    fn a_secret_comes_back_from_the_file_that_has_it_now() {
        let kept = veiled(HTTP);
        assert_eq!(unveiled(&kept, Some(HTTP)).as_deref(), Ok(HTTP));
        let later = HTTP.replace("àbc", "new").replace("X-Key", "Z-Key");
        assert_eq!(unveiled(&kept, Some(&later)), Err(vec!["headers.X-Key".to_owned()]));
        let gone = unveiled(&kept, None).unwrap_err();
        assert_eq!(gone, ["headers.Authorization", "headers.X-Key"]);
        assert_eq!(unveiled(&kept, Some(&kept)).unwrap_err(), gone);
    }
}
