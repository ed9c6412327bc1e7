//! A name for what a script is made of: the same files have the same name, whatever program reads them.

use super::ScriptFiles;
use crate::veil::veiled;
use sha2::{Digest, Sha256};

/// Bytes of the hash that the name has: sixteen hexadecimal digits.
const BYTES: usize = 8;

impl ScriptFiles {
    /// Each file by its place in the script's folder, in order, with its text. Of look-ups without the secrets that stand
    /// in them.
    pub fn kept(&self) -> Vec<(String, String)> {
        let folder = |folder: &str, files: &[(String, String, String)], text: fn(&str) -> String| {
            let kept = files.iter().map(|(name, _, own)| (format!("{folder}/{name}.toml"), text(own)));
            kept.collect::<Vec<_>>()
        };
        let mut kept = vec![("flow.toml".to_owned(), self.flow.1.clone())];
        kept.extend(folder("phrases", &self.phrases, str::to_owned));
        kept.extend(folder("calendars", &self.calendars, str::to_owned));
        kept.extend(folder("parts", &self.parts, str::to_owned));
        kept.extend(folder("look_ups", &self.look_ups, veiled));
        kept.sort();
        kept
    }

    /// The beginning of the SHA-256 of what is [`kept`](ScriptFiles::kept), in hexadecimal.
    pub fn version(&self) -> String {
        let mut hash = Sha256::new();
        for (place, text) in self.kept() {
            for part in [place, text] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        hash.finalize().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(password: &str) -> String {
        let statement = "statement = \"select a from b where c = $1\"";
        let sql = format!("[sql]\nconnection = \"postgres://u:{password}@h/d\"\n{statement}\n");
        format!("takes = [\"n\"]\ngives = {{ a = \"a\" }}\n{sql}")
    }

    fn files() -> ScriptFiles {
        ScriptFiles {
            name: "desk".to_owned(),
            flow: ("flow.toml".to_owned(), "title = \"Desk\"\n".to_owned()),
            phrases: vec![
                ("it".to_owned(), "phrases/it.toml".to_owned(), "a = \"A\"\n".to_owned()),
                ("en".to_owned(), "phrases/en.toml".to_owned(), "a = \"B\"\n".to_owned()),
            ],
            look_ups: vec![("crm".to_owned(), "look_ups/crm.toml".to_owned(), look_up("p"))],
            ..ScriptFiles::default()
        }
    }

    #[test]
    fn a_version_is_of_contents_and_of_nothing_else() {
        let version = files().version();
        assert_eq!(version, "c2df69219336345b", "another name than before makes all kept versions strangers");
        let mut same = files();
        same.phrases.reverse();
        same.name = "copy".to_owned();
        same.flow.0 = "/elsewhere/flow.toml".to_owned();
        same.look_ups[0].2 = look_up("other");
        assert_eq!(same.version(), version);
    }

    #[test]
    fn whatever_is_written_otherwise_has_another_version() {
        let change: [fn(&mut ScriptFiles); 4] = [
            |files| files.flow.1.push('\n'),
            |files| files.phrases[0].2.push(' '),
            |files| files.phrases[0].0 = "fr".to_owned(),
            |files| files.parts.push(("p".to_owned(), String::new(), String::new())),
        ];
        for change in change {
            let mut other = files();
            change(&mut other);
            assert_ne!(other.version(), files().version());
        }
    }
}
