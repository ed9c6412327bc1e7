//! Answers to the challenges that our own requests get (RFC 3261 §22): one for each realm on the way, and no more
//! often than a wrong password deserves.

use super::Account;
use crate::digest::{Asking, by_realm, is_stale, respond};
use crate::message::{HeaderName, Message};
use crate::write::Writer;
use base::Rng;

/// A proxy's and the server's challenge, and each of them once gone stale.
const ANSWERS_MAX: usize = 4;

/// Our credentials towards one peer, and what the last challenges made of them.
#[derive(Debug)]
pub(crate) struct Credentials {
    account: Option<Account>,
    /// For the request that is sent again.
    answers: Vec<Answer>,
    given: usize,
}

/// What one realm is answered.
#[derive(Debug)]
struct Answer {
    /// `Authorization` or `Proxy-Authorization`.
    header: &'static str,
    realm: Box<str>,
    value: String,
}

impl Credentials {
    pub(crate) fn new(account: Option<Account>) -> Credentials {
        Credentials { account, answers: Vec::new(), given: 0 }
    }

    /// The same account, for another request whose challenges are its own.
    pub(crate) fn afresh(&self) -> Credentials {
        Credentials::new(self.account.clone())
    }

    /// Takes a 401 or 407. True if the request is to be sent again with the answers; false if the credentials
    /// were refused, or there are none.
    pub(crate) fn answer(&mut self, response: &Message, method: &str, uri: &str, rng: &mut Rng) -> bool {
        let (header, challenged_by) = match response.status() {
            Some(401) => ("Authorization", HeaderName::WwwAuthenticate),
            Some(407) => ("Proxy-Authorization", HeaderName::ProxyAuthenticate),
            _ => return false,
        };
        let Some(account) = &self.account else { return false };
        if self.given >= ANSWERS_MAX {
            return false;
        }
        self.given += 1;
        let challenges: Vec<&str> = response.headers(challenged_by).collect();
        let mut answered = false;
        for (realm, challenges) in by_realm(&challenges).into_iter().take(ANSWERS_MAX) {
            let known = self.answers.iter().position(|a| a.header == header && *a.realm == *realm);
            // Challenged again although we answered: the password is wrong, unless only the nonce was old.
            if known.is_some() && !is_stale(&challenges) {
                return false;
            }
            let (user, password, cnonce) = (&account.user, &account.password, &rng.token(16));
            let asking = Asking { method, uri, user, password, cnonce, nonce_count: 1 };
            let Ok(value) = respond(&challenges, &asking) else { continue };
            known.map(|at| self.answers.remove(at));
            self.answers.push(Answer { header, realm: realm.into(), value });
            answered = true;
        }
        answered
    }

    /// The request was accepted or given up: the next challenge is a new one.
    pub(crate) fn settled(&mut self) {
        self.answers.clear();
        self.given = 0;
    }

    /// Adds the answers to a request, where a proxy or server waits for them.
    pub(crate) fn write(&self, writer: Writer) -> Writer {
        self.answers.iter().fold(writer, |writer, answer| writer.header(answer.header, &answer.value))
    }
}
