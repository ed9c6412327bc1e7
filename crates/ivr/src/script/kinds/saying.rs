//! What is said in a node: phrases, and what is known in words.

use super::super::flow::Reader;
use super::super::model::{Line, Words};
use super::super::phrases::Use;
use super::super::words::{NAME_SHAPE, is_name};
use super::value;
use document::{Entry, Section, nearest};
use spoken::Form;

/// The lines of `say`, in the call's language unless they end in `@LANG`.
pub(super) fn say(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<Line> {
    let Some(entry) = section.take("say") else { return Vec::new() };
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        reader.document.fault(entry.value_at(), "`say` says nothing", "name a phrase, or take it out");
    }
    lines(reader, &entry)
}

pub(super) fn lines(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Vec<Line> {
    let entries = if entry.value.get_ref().is_array() { reader.document.list(entry) } else { vec![*entry] };
    entries.iter().filter_map(|entry| line(reader, entry)).collect()
}

fn line(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Line> {
    if entry.value.get_ref().is_table() {
        return known(reader, entry);
    }
    let (text, at) = (reader.document.text(entry)?, entry.value_at());
    let (phrase, language) = match text.split_once('@') {
        Some((phrase, language)) => (phrase, Some(reader.language(language, at)?)),
        None => (text, None),
    };
    if !is_name(phrase) {
        reader.document.fault(at, format!("`{phrase}` is no name for a phrase"), NAME_SHAPE);
        return None;
    }
    uses(reader, phrase, language.as_deref(), at);
    Some(Line::phrase(phrase, language))
}

/// `{ digits = "$case" }`, and perhaps `language = "it"`.
fn known(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Line> {
    let at = entry.value_at();
    let mut section = reader.document.section(entry)?;
    let language = match section.take("language") {
        Some(language) => {
            let text = reader.document.text(&language)?;
            Some(reader.language(text, language.value_at())?)
        }
        None => None,
    };
    let [one] = section.rest().try_into().map_or_else(
        |_| {
            reader.document.fault(
                at,
                "one value is said at a time",
                "write it like { digits = \"$number\" }",
            );
            None
        },
        |one: [Entry<'_>; 1]| Some(one),
    )?;
    if one.name == "text" {
        let value = value(reader, &one)?;
        speakable(reader, language.as_deref(), at);
        return Some(Line { words: Words::Text(value), language });
    }
    let Some(form) = Form::named(one.name) else {
        let forms: Vec<&str> = Form::ALL.iter().map(|(name, _)| *name).chain(["text"]).collect();
        let what_to_do = match nearest(one.name, forms.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("choose one of {}", forms.join(", ")),
        };
        reader.document.fault(one.at, format!("nothing is said as `{}`", one.name), what_to_do);
        return None;
    };
    let value = value(reader, &one)?;
    fragments(reader, form, language.as_deref(), at);
    Some(Line { words: Words::Known { form, value }, language })
}

/// A voice must speak every language in which a text can be said.
fn speakable(reader: &mut Reader<'_>, language: Option<&str>, at: usize) {
    let languages = match language {
        Some(language) => vec![language.to_owned()],
        None => reader.languages.clone(),
    };
    let silent: Vec<String> =
        languages.into_iter().filter(|language| !reader.voices.contains(language)).collect();
    if !silent.is_empty() {
        let what = format!("no voice speaks {}", silent.join(", "));
        let what_to_do = "write a service for it under [speech], or say a phrase, or name a language";
        reader.document.fault(at, what, what_to_do);
    }
}

/// Whatever the value, its fragments must be there in every language in which it can be said.
fn fragments(reader: &mut Reader<'_>, form: Form, language: Option<&str>, at: usize) {
    let languages = match language {
        Some(language) => vec![language.to_owned()],
        None => reader.languages.clone(),
    };
    for language in languages {
        match form.fragments(&language) {
            Some(fragments) => {
                for fragment in fragments {
                    uses(reader, &fragment, Some(&language), at);
                }
            }
            None => {
                let what = format!("nobody knows how this is said in `{language}`");
                reader.document.fault(at, what, "say it in phrases of its own, or leave it out there");
            }
        }
    }
}

/// Notes that a phrase is said here; in every language if none is named.
pub(in crate::script) fn uses(reader: &mut Reader<'_>, phrase: &str, language: Option<&str>, at: usize) {
    let (phrase, language) = (phrase.to_owned(), language.map(str::to_owned));
    reader.uses.insert(Use { phrase, language, at: reader.place(at) });
}
