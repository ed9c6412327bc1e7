//! The end of a call in one sentence that a help-desk manager can read.

use facts::{Cause, End, Side};

/// In Italian.
pub(crate) fn sentence_it(end: &End) -> String {
    let subject = match end.by {
        Side::Caller => "il chiamante",
        Side::Callee => "l'operatore",
        Side::Service => "il servizio",
        Side::Network => "la rete",
        Side::Engine => "l'impianto",
    };
    sentence(end, subject, end.cause.sentence_it())
}

/// In English.
pub(crate) fn sentence_en(end: &End) -> String {
    let subject = match end.by {
        Side::Caller => "the caller",
        Side::Callee => "the agent",
        Side::Service => "the service",
        Side::Network => "the network",
        Side::Engine => "the installation",
    };
    sentence(end, subject, end.cause.sentence_en())
}

/// Two causes are acts without their subject; the others are whole clauses.
fn sentence(end: &End, subject: &str, clause: &str) -> String {
    let mut text = match end.cause {
        Cause::HungUp | Cause::Cancelled => format!("{subject} {clause}"),
        _ => clause.to_owned(),
    };
    if !end.place.is_empty() {
        text.push_str(&format!(" ({})", end.place));
    }
    text.push('.');
    let first: String = text.chars().take(1).flat_map(char::to_uppercase).collect();
    text.chars().skip(1).fold(first, |mut whole, character| {
        whole.push(character);
        whole
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_one_sentence_in_both_languages() {
        let end = End::new(Side::Caller, Cause::HungUp).place("coda lavoro");
        assert_eq!(sentence_it(&end), "Il chiamante ha riagganciato (coda lavoro).");
        assert_eq!(sentence_en(&end), "The caller hung up (coda lavoro).");
        let end = End::new(Side::Network, Cause::Unreachable);
        assert_eq!(sentence_it(&end), "L'altro apparato non è raggiungibile.");
        assert_eq!(sentence_en(&end), "The other device cannot be reached.");
    }
}
