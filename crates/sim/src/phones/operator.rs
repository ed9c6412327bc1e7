//! An operator's server: what callees outside answer with, and the moods in which it refuses everything or is not
//! there at all.

use super::callee::{Act, Callee};
use super::manners::{between, one_of};
use super::stack::{LIFETIME, Stack};
use super::text::Message;

/// How an operator's server is today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// 503 to everybody.
    Overloaded,
    /// Nothing is heard of it.
    Dead,
    /// It wants credentials for every call.
    Suspicious,
}

impl Callee {
    /// Makes this phone a server, whose mood changes if it may.
    pub(crate) fn serves(&mut self, stack: &Stack, moody: bool) {
        self.mood = Some(Mood::Good);
        if moody {
            self.plan(stack.now, "", Act::Mood);
        }
    }

    pub(super) fn change_mood(&mut self, stack: &mut Stack) {
        let mood =
            one_of(&mut stack.rng, &[Mood::Good, Mood::Good, Mood::Overloaded, Mood::Dead, Mood::Suspicious]);
        if mood == Mood::Dead {
            stack.met("server dies");
        }
        self.set_mood(stack, mood);
        let length = between(&mut stack.rng, 5_000, 120_000);
        self.plan(stack.now + length, "", Act::Mood);
    }

    /// No trouble any more.
    pub(crate) fn cheer_up(&mut self, stack: &mut Stack) {
        if self.mood.is_some() {
            self.drop_moods();
            self.set_mood(stack, Mood::Good);
        }
    }

    fn set_mood(&mut self, stack: &mut Stack, mood: Mood) {
        if self.mood == Some(Mood::Dead) {
            // What was asked of it meanwhile it heard too late.
            stack.strict_from = stack.strict_from.max(stack.now + LIFETIME);
        }
        self.mood = Some(mood);
        stack.vanished = mood == Mood::Dead;
    }

    /// A request outside of calls, and the INVITEs that it does not want. False if it is for a callee.
    pub(super) fn served(&mut self, stack: &mut Stack, request: &Message<'_>) -> bool {
        let Some(mood) = self.mood.filter(|_| request.tag_of_to().is_empty()) else { return false };
        let method = request.method().unwrap_or("");
        match (method, mood) {
            ("INVITE" | "OPTIONS" | "REGISTER", Mood::Overloaded) => {
                stack.met("503 of a server");
                let after = one_of(&mut stack.rng, &["1", "5", "30", "soon"]);
                stack.reply(request, 503, "s", &[("Retry-After", after)], "");
            }
            ("OPTIONS", _) => {
                stack.met("OPTIONS to a server");
                stack.reply(request, 200, "s", &[], "");
            }
            ("REGISTER", _) if request.header("Authorization").is_empty() => {
                let challenge = "Digest realm=\"line\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"";
                stack.reply(request, 401, "s", &[("WWW-Authenticate", challenge)], "");
            }
            ("REGISTER", _) => {
                stack.met("registration at a server");
                let contact = format!("{};expires=60", request.header("Contact"));
                stack.reply(request, 200, "s", &[("Contact", &contact)], "");
            }
            ("INVITE", Mood::Suspicious) if request.header("Proxy-Authorization").is_empty() => {
                stack.met("INVITE challenged");
                let challenge = "Digest realm=\"line\", nonce=\"n2\", algorithm=MD5, qop=\"auth\"";
                stack.reply(request, 407, "s", &[("Proxy-Authenticate", challenge)], "");
            }
            _ => return false,
        }
        true
    }
}
