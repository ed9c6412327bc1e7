//! Scripted phones. They share no code with the exchange's SIP.

mod abilities;
mod callee;
mod caller;
mod describing;
mod digest;
mod manners;
mod operator;
mod registering;
mod reoffering;
mod ringing;
mod stack;
mod text;
mod timer;
mod tiring;
mod transferring;

pub(crate) use callee::Callee;
pub(crate) use caller::Caller;
pub(crate) use describing::{Format, Sessions, Talk};
pub(crate) use digest::authorization;
pub(crate) use manners::{between, one_of};
pub(crate) use stack::{Dialog, LIFETIME, Stack};
pub(crate) use text::Message;

use base::Time;
use std::net::SocketAddr;

/// One phone: what every phone needs, and its habits.
pub(crate) struct Phone {
    pub(crate) stack: Stack,
    pub(crate) role: Role,
    /// When the world has been asked to wake it.
    pub(crate) wake_at: Option<Time>,
}

/// Whose phone it is.
pub(crate) enum Role {
    Caller(Caller),
    Callee(Callee),
}

impl Phone {
    /// A message came.
    pub(crate) fn handle(&mut self, now: Time, [from, to]: [SocketAddr; 2], bytes: &[u8]) {
        self.stack.now = now;
        // A NAT lets nothing in at an address that it has given up.
        if self.stack.vanished || (to != self.stack.me && !self.stack.stream) {
            return;
        }
        if from == crate::town::other_exchange() {
            self.stack.met("answer from the address that was asked");
        }
        if from != self.stack.server && matches!(self.role, Role::Caller(_)) {
            let server = self.stack.server;
            self.stack.complaints.push(format!("a message from {from} to a caller at {server}"));
        }
        let Some(message) = Message::read(bytes) else {
            self.stack.complaints.push("the exchange sent something that is no message".to_owned());
            return;
        };
        self.stack.sessions.hears(&message);
        match (&mut self.role, message.status().is_some()) {
            (Role::Caller(caller), true) => caller.response(&mut self.stack, &message),
            (Role::Caller(caller), false) => caller.request(&mut self.stack, &message),
            (Role::Callee(callee), true) => callee.response(&mut self.stack, &message),
            (Role::Callee(callee), false) => callee.request(&mut self.stack, &message),
        }
    }

    /// A connection broke: the next one comes from another port. What was on its way is lost.
    pub(crate) fn broken(&mut self, port_of: SocketAddr) {
        let stack = &mut self.stack;
        stack.strict_from = stack.strict_from.max(stack.now + LIFETIME);
        if port_of == stack.me {
            stack.me.set_port(stack.me.port().wrapping_add(1).max(1_024));
        }
        if let Role::Callee(callee) = &mut self.role {
            callee.register_again(stack.now + between(&mut stack.rng, 500, 5_000));
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        for (method, branch) in self.stack.handle_timeout(now) {
            match &mut self.role {
                Role::Caller(caller) => caller.unanswered(&mut self.stack, method, &branch),
                Role::Callee(callee) => callee.unanswered(&mut self.stack, method, &branch),
            }
        }
        match &mut self.role {
            Role::Caller(caller) => caller.handle_timeout(&mut self.stack),
            Role::Callee(callee) => callee.handle_timeout(&mut self.stack),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let role = match &self.role {
            Role::Caller(caller) => caller.poll_timeout(),
            Role::Callee(callee) => callee.poll_timeout(),
        };
        [role, self.stack.poll_timeout()].into_iter().flatten().min()
    }

    /// A person is to be heard on it from now on.
    pub(crate) fn voice(&mut self, now: Time) {
        self.stack.now = now;
        if let Role::Caller(caller) = &mut self.role {
            caller.voice(&mut self.stack);
        }
    }

    /// It will never say anything any more.
    pub(crate) fn is_done(&self) -> bool {
        matches!(&self.role, Role::Caller(caller) if caller.is_done())
            && (self.stack.poll_timeout().is_none() || self.stack.vanished)
    }
}
