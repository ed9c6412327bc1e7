use super::picture::{Box, Shape, picture};
use crate::Script;
use std::fmt::Write;

/// The flow as a Mermaid flowchart.
pub fn mermaid(script: &Script) -> String {
    let picture = picture(script);
    let mut text = "flowchart TD\n".to_owned();
    for (id, one) in picture.boxes.iter().enumerate() {
        let (open, close) = brackets(one);
        let words = words(one);
        // Writing to a String cannot fail.
        let _written = writeln!(text, "    n{id}{open}\"{words}\"{close}");
    }
    for arrow in &picture.arrows {
        let label = match arrow.label.as_str() {
            "" => String::new(),
            label => format!("|\"{}\"|", escaped(label)),
        };
        let _written = writeln!(text, "    n{} -->{label} n{}", arrow.from, arrow.to);
    }
    text
}

fn brackets(one: &Box) -> (&'static str, &'static str) {
    match (one.shape, one.kind) {
        (Shape::Entry, _) | (Shape::End, _) => ("([", "])"),
        (_, "hours" | "case") => ("{", "}"),
        (_, "hang_up") => ("([", "])"),
        _ => ("(", ")"),
    }
}

fn words(one: &Box) -> String {
    let kind = if one.kind.is_empty() { String::new() } else { format!(" · {}", one.kind) };
    let head = format!("<b>{}</b>{kind}", escaped(&one.title));
    let lines = one.lines.iter().map(|line| escaped(line));
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("<br/>")
}

/// Mermaid reads `#NAME;` as an entity, and a quote would end the text.
fn escaped(text: &str) -> String {
    let entity = |letter| match letter {
        '#' => "#35;".to_owned(),
        '"' => "#quot;".to_owned(),
        '<' => "#lt;".to_owned(),
        '>' => "#gt;".to_owned(),
        '&' => "#amp;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(entity).collect()
}
