//! Texts within XML and HTML.

/// A text as it stands in an element or between double quotes. What XML 1.0 has no place for at all (§2.2) becomes
/// U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(letter),
            '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_text_stays_what_it_is_and_ends_neither_its_element_nor_its_attribute() {
        for (text, written) in [
            ("perché no?", "perché no?"),
            ("<a b=\"c\">&amp;</a>", "&lt;a b=&quot;c&quot;&gt;&amp;amp;&lt;/a&gt;"),
            ("]]>", "]]&gt;"),
            ("a\tb\r\nc", "a\tb\r\nc"),
            ("a\0b\u{1b}[2Jc\u{FFFE}\u{FFFF}", "a\u{FFFD}b\u{FFFD}[2Jc\u{FFFD}\u{FFFD}"),
            ("\u{7f}\u{10FFFF}", "\u{7f}\u{10FFFF}"),
        ] {
            assert_eq!(escaped(text), written, "{text:?}");
        }
    }
}
