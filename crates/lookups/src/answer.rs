//! From what a source says to what becomes known of a call.

use ivr::{Answer, LookUp, VALUE_MAX};
use serde_json::Value;

/// Of a row that is there: what stands in its columns. What is empty does not become known.
pub(crate) fn of_row(look_up: &LookUp, cell: impl Fn(&str) -> Option<String>) -> Answer {
    let known = look_up.gives.iter().filter_map(|(name, place)| {
        let text = cell(place).filter(|text| !text.is_empty())?;
        Some((name.clone(), cut(text)))
    });
    Answer::Found(known.collect())
}

/// Of JSON: what its pointers point at (RFC 6901). Where nothing is at any of them, nothing is there.
pub(crate) fn of_json(look_up: &LookUp, json: &Value) -> Answer {
    let found = of_row(look_up, |pointer| at_pointer(json, pointer));
    match &found {
        Answer::Found(known) if known.is_empty() && !look_up.gives.is_empty() => Answer::Missing,
        _ => found,
    }
}

/// A name without a slash is a member of the outermost object.
fn at_pointer(json: &Value, pointer: &str) -> Option<String> {
    let value = match pointer.is_empty() || pointer.starts_with('/') {
        true => json.pointer(pointer)?,
        false => json.get(pointer)?,
    };
    text(value)
}

/// What can become known of a call: no lists, and nothing that has members.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(VALUE_MAX) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn look_up(gives: &str) -> LookUp {
        let text = format!("takes = [\"number\"]\ngives = {gives}\n[http]\nurl = \"http://a/{{number}}\"\n");
        LookUp::parse("clients", "clients.toml", &text).unwrap()
    }

    fn found<const N: usize>(known: [(&str, &str); N]) -> Answer {
        Answer::Found(known.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
    }

    #[test]
    fn pointers_give_texts_numbers_and_flags_and_nothing_else() {
        let json = serde_json::json!({
            "name": "Ada", "age": 36, "debt": -1.5, "vip": true, "none": null, "list": ["x"], "empty": "",
            "a/b": "slash", "m~n": "tilde", "deep": {"er": [{"x": "y"}]},
        });
        for (pointer, text) in [
            ("/name", Some("Ada")),
            ("name", Some("Ada")),
            ("/age", Some("36")),
            ("/debt", Some("-1.5")),
            ("/vip", Some("true")),
            ("/a~1b", Some("slash")),
            ("a/b", Some("slash")),
            ("/m~0n", Some("tilde")),
            ("/deep/er/0/x", Some("y")),
            ("/list/0", Some("x")),
            ("/none", None),
            ("/list", None),
            ("/list/9", None),
            ("/deep", None),
            ("/empty", None),
            ("/nobody", None),
            ("", None),
        ] {
            let answer = of_json(&look_up(&format!("{{ x = \"{pointer}\" }}")), &json);
            assert_eq!(answer, text.map_or(Answer::Missing, |text| found([("x", text)])), "{pointer:?}");
        }
    }

    #[test]
    fn what_is_there_becomes_known_though_something_else_is_not() {
        let two = look_up("{ one = \"/one\", two = \"/two\" }");
        assert_eq!(of_json(&two, &serde_json::json!({ "two": 2 })), found([("two", "2")]));
        assert_eq!(of_json(&two, &serde_json::json!({})), Answer::Missing);
        assert_eq!(of_row(&two, |_| None), Answer::Found(BTreeMap::new()), "a row that is there is found");
    }

    #[test]
    fn a_long_value_is_cut_between_two_letters() {
        let json = Value::String("è".repeat(VALUE_MAX + 1));
        let Answer::Found(known) = of_json(&look_up("{ x = \"\" }"), &json) else { panic!("nothing") };
        assert_eq!(known["x"], "è".repeat(VALUE_MAX));
    }
}
