//! How what is heard is named.

use std::sync::Arc;

/// A prompt by its sources, best first: a missing one falls to the next, and none at all is silence of no
/// length. A source is `LANG/KEY`, such as `it/welcome`, `moh/NAME`, or what [`speech_source`] makes.
pub type Sound = Arc<[Arc<str>]>;

const SPEECH: &str = "speech/";

/// The source of words that a voice says: `speech/LANG/WORDS`. A language holds no slash.
pub fn speech_source(language: &str, words: &str) -> Arc<str> {
    Arc::from(format!("{SPEECH}{language}/{words}"))
}

/// The language and the words of such a source.
pub fn speech_of(source: &str) -> Option<(&str, &str)> {
    source.strip_prefix(SPEECH)?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_as_they_were_and_a_file_is_no_speech() {
        for words in ["Mario Rossi", "", "a/b", "speech/it/x"] {
            assert_eq!(speech_of(&speech_source("sl", words)), Some(("sl", words)));
        }
        for source in ["it/welcome", "moh/calm", "speech", "speech/it", "it/speech/x", ""] {
            assert_eq!(speech_of(source), None, "{source}");
        }
    }
}
