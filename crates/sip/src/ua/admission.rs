//! Who may call and register: trunks by their address, accounts by digest, and what is opened by name.
//! Everybody else is refused (RFC 3261 §22).

use super::{Flow, Peer, UserAgent};
use crate::digest::{Denied, Proven, Reason};
use crate::guard::{Attempt, Belief};
use crate::message::{HeaderName, Message};
use crate::uri::Uri;
use base::Time;

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Denial {
    /// 401 (with a challenge), 403 or 400; 0 for silence.
    status: u16,
    /// Only the nonce was too old.
    stale: bool,
    /// What `Blocked` says; nothing for those who were not asked yet.
    rule: Option<&'static str>,
}

impl Denial {
    const CHALLENGE: Denial = Denial { status: 401, stale: false, rule: None };

    fn of(reason: Reason) -> Denial {
        match reason {
            Reason::Missing => Denial::CHALLENGE,
            Reason::Stale => Denial { stale: true, ..Denial::CHALLENGE },
            Reason::Replayed => Denial { stale: true, rule: Some("replayed_nonce"), ..Denial::CHALLENGE },
            Reason::Wrong => Denial { rule: Some("bad_credentials"), ..Denial::CHALLENGE },
            Reason::Malformed => Denial { status: 400, stale: false, rule: Some("malformed") },
        }
    }
}

impl UserAgent {
    /// Who an INVITE is from.
    pub(super) fn admit(&mut self, now: Time, flow: Flow, request: &Message) -> Result<Peer, Denial> {
        if let Some(trunk) = self.wire.trunk_at(flow) {
            return Ok(Peer::Trunk(trunk.name.clone()));
        }
        match self.authenticate(now, flow, request) {
            Ok(user) => Ok(Peer::Account(user)),
            Err(_) if self.is_open_to(flow, request) => Ok(Peer::Open),
            Err(denial) => Err(denial),
        }
    }

    /// Whether a request needs no proof where it comes from. Whoever says that they are one of us has to prove it,
    /// wherever they are.
    pub(super) fn is_open_to(&self, flow: Flow, request: &Message) -> bool {
        let source = flow.remote.ip().to_canonical();
        let open = self.wire.config.open_to.iter().any(|net| net.contains(&source));
        open && !self.names_an_account(request)
    }

    fn names_an_account(&self, request: &Message) -> bool {
        let from = request.from().ok().and_then(|from| Uri::parse(from.uri).ok());
        let user = from.and_then(|from| from.user_decoded());
        user.is_some_and(|user| self.passwords.contains_key(user.as_ref()))
    }

    /// Whose contacts a REGISTER changes: those of the account that proved itself, and of no other
    /// (RFC 3261 §10.3 steps 3 and 4).
    pub(super) fn admit_registration(
        &mut self,
        now: Time,
        flow: Flow,
        request: &Message,
    ) -> Result<String, Denial> {
        let user = self.authenticate(now, flow, request)?;
        let to = request.to().ok().and_then(|to| Uri::parse(to.uri).ok()).and_then(|uri| uri.user_decoded());
        match to.as_deref() == Some(user.as_str()) {
            true => Ok(user),
            false => Err(Denial { status: 403, stale: false, rule: Some("bad_credentials") }),
        }
    }

    /// Says no.
    pub(super) fn deny(&mut self, now: Time, request: &Message, flow: Flow, denial: Denial) {
        if let Some(rule) = denial.rule {
            self.wire.block(flow.remote, rule);
        }
        match denial.status {
            401 => {}
            0 => return,
            status => return self.refuse(now, request, flow, status),
        }
        let tag = self.wire.tag_for(request);
        let mut answer = self.wire.answer(request, flow, 401, &tag);
        for challenge in self.verifier.challenge(now, denial.stale, flow.remote.ip()) {
            answer = answer.header("WWW-Authenticate", challenge);
        }
        self.wire.reply_statelessly(request, flow, answer);
    }

    /// Who sent a request, by its credentials. The guard hears of every try, and what it does not believe counts
    /// as wrong.
    fn authenticate(&mut self, now: Time, flow: Flow, request: &Message) -> Result<String, Denial> {
        if self.passwords.is_empty() {
            return Err(Denial { status: 403, stale: false, rule: Some("unknown_source") });
        }
        let method = request.method().map_or("", |method| method.as_str());
        let passwords = &self.passwords;
        let values = request.headers(HeaderName::Authorization);
        let password_of = |user: &str| passwords.get(user).map(String::as_str);
        let verified = self.verifier.verify(now, flow.remote.ip(), values, method, password_of);
        let (user, right, returned) = match &verified {
            Ok(Proven { user, returned }) => (Some(user.as_str()), true, *returned),
            Err(Denied { reason: Reason::Wrong, user, returned }) => (user.as_deref(), false, *returned),
            // A right proof all the same: a guesser must not learn that from how it is refused.
            Err(Denied { reason: Reason::Stale | Reason::Replayed, user, returned }) => {
                (user.as_deref(), true, *returned)
            }
            Err(Denied { reason: Reason::Missing, .. }) => {
                let user = request.to().ok().map_or("", |to| to.uri);
                self.wire.guard.proved_nothing(now, flow, method, user);
                return Err(Denial::CHALLENGE);
            }
            Err(denied) => return Err(Denial::of(denied.reason)),
        };
        let fresh = verified.is_ok();
        let user = user.unwrap_or_default();
        let there = self.wire.registrar.is_at(user, flow);
        let attempt = Attempt { user, method, right, fresh, returned, there };
        match self.wire.guard.attempted(now, flow, attempt) {
            Belief::Take => verified.map(|proven| proven.user).map_err(|denied| Denial::of(denied.reason)),
            Belief::Renew => {
                let rule = verified.err().and_then(|denied| Denial::of(denied.reason).rule);
                Err(Denial { rule, ..Denial::of(Reason::Stale) })
            }
            Belief::Challenge => Err(Denial::of(Reason::Wrong)),
            Belief::Silence => Err(Denial { status: 0, stale: false, rule: Some("bad_credentials") }),
        }
    }
}
