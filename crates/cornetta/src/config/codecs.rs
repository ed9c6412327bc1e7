//! Lists of codecs.

use document::{Document, Section, nearest};
use media_api::Codec;
use std::collections::BTreeMap;

type Lists = BTreeMap<String, Vec<Codec>>;

/// The lists of all: the one of whoever has none of their own, if it is written, and those of trunks and agents.
pub(super) fn of_all(usual: Option<Vec<Codec>>, trunks: Lists, accounts: Lists) -> engine::Codecs {
    let otherwise = engine::Codecs::default();
    engine::Codecs { usual: usual.unwrap_or(otherwise.usual), trunks, accounts }
}

/// The codecs of a section, the best first, if it has a list.
pub(super) fn codecs(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Vec<Codec>> {
    let entry = section.take("codecs")?;
    let written = document.texts(&entry);
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        let what_to_do = "name at least one codec, or leave `codecs` out";
        document.fault(entry.value_at(), "without a codec nobody could be spoken with", what_to_do);
    }
    let mut codecs = Vec::new();
    for (text, at) in written {
        match Codec::ALL.into_iter().find(|codec| codec.encoding().eq_ignore_ascii_case(text)) {
            Some(codec) if codecs.contains(&codec) => {
                document.fault(at, format!("`{text}` is written twice"), "keep one of the two");
            }
            Some(codec) => codecs.push(codec),
            None => {
                let known = Codec::ALL.map(Codec::encoding);
                let what_to_do = match nearest(text, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("choose from {}", known.join(", ")),
                };
                document.fault(at, format!("there is no codec `{text}`"), what_to_do);
            }
        }
    }
    (!codecs.is_empty()).then_some(codecs)
}

#[cfg(test)]
mod tests {
    use super::super::load_text;
    use media_api::Codec::{G722, Opus, Pcma, Pcmu};
    use std::path::Path;

    #[test]
    fn every_list_reaches_whom_it_is_written_for() {
        let text = "[media]\ncodecs = [\"G722\", \"PCMA\"]\n\
            [[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\ncodecs = [\"PCMA\"]\n\
            [[trunk]]\nname = \"other\"\naddress = \"udp:192.0.2.2:5060\"\n\
            [[agent]]\nname = \"anna\"\npassword = \"x\"\nlanguages = [\"it\"]\ncodecs = [\"Opus\", \"pcmu\"]\n";
        let Ok(installation) = load_text("cornetta.toml", text, Path::new(".")) else { panic!("not read") };
        let codecs = installation.engine.codecs;
        assert_eq!(codecs.usual, [G722, Pcma]);
        assert_eq!(codecs.trunks.into_iter().collect::<Vec<_>>(), [("tim".to_owned(), vec![Pcma])]);
        assert_eq!(codecs.accounts.into_iter().collect::<Vec<_>>(), [("anna".to_owned(), vec![Opus, Pcmu])]);
    }
}
