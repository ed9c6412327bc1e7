//! Answers to the challenges that our own requests get (RFC 3261 §22.2): once for each challenge, and no
//! more often than a wrong password deserves.

use super::Account;
use crate::digest::{Asking, is_stale, respond};
use crate::message::{HeaderName, Message};
use crate::write::Writer;
use base::Rng;

/// A proxy's and the server's challenge, and each of them once gone stale.
const ANSWERS_MAX: u8 = 4;

/// Our credentials towards one peer, and what the last challenges made of them.
#[derive(Debug)]
pub(crate) struct Credentials {
    account: Option<Account>,
    /// The header fields for the request that is sent again: `Authorization`, `Proxy-Authorization`.
    answers: [Option<String>; 2],
    given: u8,
}

const NAMES: [&str; 2] = ["Authorization", "Proxy-Authorization"];

impl Credentials {
    pub(crate) fn new(account: Option<Account>) -> Credentials {
        Credentials { account, answers: [None, None], given: 0 }
    }

    /// The same account, for another request whose challenges are its own.
    pub(crate) fn afresh(&self) -> Credentials {
        Credentials::new(self.account.clone())
    }

    /// Takes a 401 or 407. True if the request is to be sent again with the answer; false if the
    /// credentials were refused, or there are none.
    pub(crate) fn answer(&mut self, response: &Message, method: &str, uri: &str, rng: &mut Rng) -> bool {
        let (place, header) = match response.status() {
            Some(401) => (0, HeaderName::WwwAuthenticate),
            Some(407) => (1, HeaderName::ProxyAuthenticate),
            _ => return false,
        };
        let Some(account) = &self.account else { return false };
        let challenges: Vec<&str> = response.headers(header).collect();
        let stale = is_stale(&challenges);
        let Some(kept) = self.answers.get_mut(place) else { return false };
        // Challenged again although we answered: the password is wrong, unless only the nonce was old.
        if self.given >= ANSWERS_MAX || (kept.is_some() && !stale) {
            return false;
        }
        let cnonce = rng.token(16);
        let asking = Asking {
            method,
            uri,
            user: &account.user,
            password: &account.password,
            cnonce: &cnonce,
            nonce_count: 1,
        };
        *kept = respond(&challenges, &asking).ok();
        self.given += 1;
        kept.is_some()
    }

    /// The request was accepted or given up: the next challenge is a new one.
    pub(crate) fn settled(&mut self) {
        self.answers = [None, None];
        self.given = 0;
    }

    /// Adds the answers to a request, where a proxy or server waits for them.
    pub(crate) fn write(&self, writer: Writer) -> Writer {
        NAMES.iter().zip(&self.answers).fold(writer, |writer, (name, answer)| match answer {
            Some(answer) => writer.header(name, answer),
            None => writer,
        })
    }
}
