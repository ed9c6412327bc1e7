//! The registration of an agent's phone: made, kept, lost with the exchange's memory, and taken back.

use super::callee::{Act, Callee};
use super::digest::authorization;
use super::stack::{Dialog, LIFETIME, Stack};
use super::text::Message;
use base::Time;
use std::time::Duration;

/// After a registration that was not taken, or not answered.
const AGAIN: Duration = Duration::from_secs(5);

/// How a phone stands with the registrar.
pub(super) struct Registration {
    dialog: Dialog,
    expires: Duration,
    /// The last try had credentials.
    proved: bool,
    leaving: bool,
}

impl Registration {
    pub(super) fn new(dialog: Dialog, expires: Duration) -> Registration {
        Registration { dialog, expires, proved: false, leaving: false }
    }
}

impl Callee {
    /// Takes its registration back.
    pub(crate) fn leave(&mut self, stack: &mut Stack) {
        if std::mem::take(&mut stack.vanished) {
            stack.strict_from = stack.strict_from.max(stack.now + LIFETIME);
        }
        self.agenda.retain(|(_, _, act)| !matches!(act, Act::Register | Act::PlugIn));
        if self.account.is_some() {
            self.registration.leaving = true;
            self.register(stack, None);
        }
    }

    /// Registers by way of a proxy, at the phone's own address; the phone itself is somewhere behind it.
    pub(crate) fn registers_by_path(&mut self, stack: &mut Stack) {
        self.path = Some(format!("<sip:{};lr>", stack.me));
        stack.shown = Some("192.168.7.7:5060".to_owned());
    }

    /// The exchange lost its memory: register soon, as a phone does whose registration has run out.
    pub(crate) fn register_again(&mut self, at: Time) {
        if self.account.is_some() && !self.registration.leaving {
            self.agenda.retain(|(_, _, act)| *act != Act::Register);
            self.plan(at, "", Act::Register);
        }
    }

    pub(super) fn register(&mut self, stack: &mut Stack, authorization: Option<&str>) {
        let registration = &mut self.registration;
        let expires = if registration.leaving { 0 } else { registration.expires.as_secs() };
        let expires = expires.to_string();
        let mut extra = vec![("Expires", expires.as_str()), ("User-Agent", "simulated phone")];
        if let Some(path) = &self.path {
            extra.extend([("Supported", "path"), ("Path", path.as_str())]);
        }
        registration.proved = authorization.is_some();
        if let Some(value) = authorization {
            extra.push(("Authorization", value));
        }
        stack.request(&mut registration.dialog, "REGISTER", &extra, "");
    }

    /// What the registrar says.
    pub(super) fn registered(&mut self, stack: &mut Stack, message: &Message<'_>, status: u16) {
        let registration = &self.registration;
        if status == 401 && !registration.proved {
            let uri = registration.dialog.target.clone();
            let weak = stack.rng.chance_permille(500);
            let cnonce = stack.rng.token(8);
            let password = self.account.clone().unwrap_or_default();
            let user = stack.user.clone();
            let value = authorization(message, (&user, &password), ("REGISTER", &uri), &cnonce, weak);
            return self.register(stack, value.as_deref());
        }
        if !registration.leaving {
            let wait = if status == 200 { registration.expires / 2 } else { AGAIN };
            self.agenda.retain(|(_, _, act)| *act != Act::Register);
            self.plan(stack.now + wait, "", Act::Register);
        }
    }

    /// The registrar says nothing.
    pub(super) fn not_registered(&mut self, stack: &Stack) {
        if !self.registration.leaving {
            self.plan(stack.now + AGAIN, "", Act::Register);
        }
    }
}
