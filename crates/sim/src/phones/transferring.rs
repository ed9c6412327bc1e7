//! Agents who hand a call over: blind, or after they have asked somebody; and those who move it to another dialog
//! of their own (RFC 3515, RFC 3891, RFC 5589).

use super::abilities::{Abilities, borrowed};
use super::callee::{Act, Callee, Leg, State};
use super::digest::authorization;
use super::manners::{CalleeManners, between, one_of};
use super::ringing::Progress;
use super::stack::{Answer, Dialog, Stack};
use super::text::Message;
use super::timer::SessionTimer;
use base::{Rng, Time};
use std::time::Duration;

/// A transfer that was accepted has come to an end by then: the target rings for a minute, and who transferred for
/// half a minute.
const TRANSFER_MAX: Duration = Duration::from_secs(200);

/// What an agent means to do with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handover {
    /// REFER to somebody.
    Blind,
    /// The same, and hangs up at once.
    BlindAndGone,
    /// Holds, asks somebody, and brings the two together.
    Attended,
    /// The same, but before that somebody answered.
    AttendedEarly,
    /// Holds, asks, and takes the call back.
    ThinksBetter,
    /// INVITE with Replaces from the same phone.
    Moves,
}

/// A REFER of this phone that has not come to its end.
#[derive(Clone, Debug)]
pub(super) struct Refer {
    branch: String,
    since: Time,
    accepted: bool,
}

/// A call that this phone makes.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    branch: String,
    cseq: u32,
    /// With credentials.
    proved: bool,
    /// The call that it is made for.
    pub(super) on_behalf_of: String,
    replaces: Option<String>,
}

impl Handover {
    pub(super) fn draw(rng: &mut Rng) -> Option<Handover> {
        use Handover as H;
        let some = rng.chance_permille(180);
        some.then(|| {
            one_of(
                rng,
                &[
                    H::Blind,
                    H::Blind,
                    H::BlindAndGone,
                    H::Attended,
                    H::Attended,
                    H::AttendedEarly,
                    H::ThinksBetter,
                    H::Moves,
                ],
            )
        })
    }
}

/// Begins.
impl Callee {
    pub(super) fn hand_over(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get(at).filter(|leg| leg.state == State::Up(true)) else { return };
        let Some(handover) = leg.handover else { return };
        let to = somebody(&mut stack.rng);
        match handover {
            Handover::Blind | Handover::BlindAndGone => {
                stack.met("REFER, blind");
                let host = stack.server.ip();
                self.refer(stack, at, &format!("<sip:{to}@{host}>"));
            }
            Handover::Moves => {
                let replaces = leg.dialog.as_replaces();
                stack.met("INVITE with Replaces");
                let user = stack.user.clone();
                self.place(stack, at, &user, Some(replaces));
            }
            Handover::Attended | Handover::AttendedEarly | Handover::ThinksBetter => {
                self.hold(stack, at, true);
                self.place(stack, at, to, None);
            }
        }
    }

    fn refer(&mut self, stack: &mut Stack, at: usize, value: &str) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        let by = format!("<sip:{}@{}>", stack.user, stack.server.ip());
        let extra = [("Refer-To", value), ("Referred-By", by.as_str())];
        let branch = stack.request(&mut leg.dialog, "REFER", &extra, "");
        leg.refer = Some(Refer { branch, since: stack.now, accepted: false });
        let call_id = leg.dialog.call_id.clone();
        self.plan(stack.now + TRANSFER_MAX, &call_id, Act::CheckRefer);
    }

    /// Calls somebody for the sake of the call at this place.
    fn place(&mut self, stack: &mut Stack, at: usize, to: &str, replaces: Option<String>) {
        let Some(on_behalf_of) = self.legs.get(at).map(|leg| leg.dialog.call_id.clone()) else { return };
        self.calls += 1;
        let host = stack.server.ip();
        let dialog = Dialog {
            call_id: format!("p{}-{}", self.calls, stack.me.ip()),
            local: format!("<sip:{}@{host}>", stack.user),
            local_tag: format!("p{}", self.calls),
            remote: format!("<sip:{to}@{host}>"),
            target: format!("sip:{to}@{}", stack.server),
            cseq: stack.rng.below(100) as u32,
            ..Dialog::default()
        };
        let placed = Placed { branch: String::new(), cseq: 0, proved: false, on_behalf_of, replaces };
        let mut leg = Leg::new(dialog, CalleeManners::Answers, stack, false);
        (leg.state, leg.placed) = (State::Calling, Some(placed));
        leg.invite(stack, None);
        self.add(stack, leg);
    }
}

impl Leg {
    /// A leg of which nothing has been said yet.
    pub(super) fn new(dialog: Dialog, manners: CalleeManners, stack: &mut Stack, bad: bool) -> Leg {
        Leg {
            dialog,
            manners,
            abilities: Abilities::draw(&mut stack.rng, false),
            timer: SessionTimer::draw(&mut stack.rng, bad),
            progress: Progress::draw(&mut stack.rng),
            rseq: 0,
            invite: Vec::new(),
            state: State::Ringing,
            talk: between(&mut stack.rng, 1_000, 150_000),
            holds: stack.rng.chance_permille(150),
            version: 1,
            offer: None,
            fork: None,
            handover: None,
            refer: None,
            placed: None,
        }
    }

    fn invite(&mut self, stack: &mut Stack, proof: Option<&str>) {
        let Some(placed) = &mut self.placed else { return };
        let mut headers = self.abilities.headers(&self.timer);
        headers.extend(proof.map(|proof| ("Authorization", proof.to_owned())));
        headers.extend(placed.replaces.clone().map(|replaces| ("Replaces", replaces)));
        let body = stack.sessions.describe(&self.dialog.call_id, self.version, "sendrecv");
        placed.branch = stack.request(&mut self.dialog, "INVITE", &borrowed(&headers), &body);
        (placed.cseq, placed.proved) = (self.dialog.cseq, proof.is_some());
    }
}

/// What the exchange says to it.
impl Callee {
    /// An answer to the REFER or INVITE of a handover. False if it is to something else.
    pub(super) fn handover_response(
        &mut self,
        stack: &mut Stack,
        answer: &Answer,
        message: &Message<'_>,
    ) -> bool {
        let refers = |leg: &Leg| leg.refer.as_ref().is_some_and(|refer| refer.branch == answer.branch);
        if let Some(at) = self.legs.iter().position(refers) {
            self.refer_answered(stack, at, answer.status);
            return true;
        }
        let placed = |leg: &Leg| leg.placed.as_ref().is_some_and(|placed| placed.branch == answer.branch);
        let Some(at) = self.legs.iter().position(placed).filter(|_| answer.method == "INVITE") else {
            return false;
        };
        match answer.status {
            ..200 => self.placed_progress(stack, at, message),
            200..300 => self.placed_answered(stack, at, message),
            401 => self.challenged(stack, at, message),
            422 => {
                let taught = self.legs.get_mut(at).is_some_and(|leg| leg.timer.refused(message));
                if taught { self.place_again(stack, at) } else { self.placed_refused(stack, at) }
            }
            _ => self.placed_refused(stack, at),
        }
        true
    }

    fn refer_answered(&mut self, stack: &mut Stack, at: usize, status: u16) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        match status {
            ..200 => {}
            200..300 => {
                stack.met("REFER accepted");
                if let Some(refer) = &mut leg.refer {
                    refer.accepted = true;
                }
                if leg.handover == Some(Handover::BlindAndGone) {
                    stack.met("hangs up on a transfer");
                    self.hang_up(stack, at);
                }
            }
            _ => {
                stack.met("REFER refused");
                self.back_to_talk(stack, at);
            }
        }
    }

    /// Nothing came of the handover: the call goes on as before.
    fn back_to_talk(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        leg.refer = None;
        let call_id = leg.dialog.call_id.clone();
        self.drop_consultations(stack, &call_id);
        self.hold(stack, at, false);
    }

    /// The calls that were made for this one are not needed any more.
    pub(super) fn drop_consultations(&mut self, stack: &mut Stack, call_id: &str) {
        let made_for = |leg: &Leg| leg.placed.as_ref().is_some_and(|placed| placed.on_behalf_of == call_id);
        let ids = self.legs.iter().filter(|leg| made_for(leg)).map(|leg| leg.dialog.call_id.clone());
        let ids: Vec<String> = ids.collect();
        for id in ids {
            let soon = between(&mut stack.rng, 0, 3_000);
            self.plan(stack.now + soon, &id, Act::HangUp);
        }
    }

    fn challenged(&mut self, stack: &mut Stack, at: usize, message: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state == State::Calling) else { return };
        let password = self.account.clone().unwrap_or_default();
        let user = stack.user.clone();
        let cnonce = stack.rng.token(8);
        let proved = leg.placed.as_ref().is_none_or(|placed| placed.proved);
        let target = leg.dialog.target.clone();
        let proof = authorization(message, (&user, &password), ("INVITE", &target), &cnonce, true);
        match proof.filter(|_| !proved) {
            Some(proof) => leg.invite(stack, Some(&proof)),
            None => self.placed_refused(stack, at),
        }
    }

    /// Once more from the beginning: it will be challenged anew.
    fn place_again(&mut self, stack: &mut Stack, at: usize) {
        if let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state == State::Calling) {
            leg.invite(stack, None);
        }
    }

    fn placed_progress(&mut self, stack: &mut Stack, at: usize, message: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state == State::Calling) else { return };
        leg.abilities.provisional(stack, &mut leg.dialog, message);
        if message.tag_of_to().is_empty() {
            return;
        }
        leg.dialog.remote_tag = message.tag_of_to().to_owned();
        let parent = self.parent_of(at).and_then(|parent| self.legs.get(parent));
        let early =
            parent.is_some_and(|leg| leg.handover == Some(Handover::AttendedEarly) && leg.refer.is_none());
        if early && message.status() == Some(180) {
            stack.met("REFER, attended before the answer");
            self.complete(stack, at);
        }
    }

    fn placed_answered(&mut self, stack: &mut Stack, at: usize, message: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        leg.dialog.remote_tag = message.tag_of_to().to_owned();
        leg.dialog.target = message.contact().to_owned();
        stack.acknowledge(&leg.dialog, message.cseq().0, "");
        let wanted = leg.state == State::Calling;
        leg.state = State::Up(true);
        leg.timer.answered(stack.now, message);
        let call_id = leg.dialog.call_id.clone();
        let replaced = leg.placed.as_ref().is_some_and(|placed| placed.replaces.is_some());
        if !wanted {
            return self.hang_up(stack, at);
        }
        let pause = between(&mut stack.rng, 500, 8_000);
        let act = if replaced { Act::HangUp } else { Act::Complete };
        self.plan(stack.now + pause, &call_id, act);
    }

    pub(super) fn placed_refused(&mut self, stack: &mut Stack, at: usize) {
        let parent = self.parent_of(at);
        self.end(stack, at);
        if let Some(parent) = parent {
            self.hold(stack, parent, false);
        }
    }

    /// A call of this phone's got no answer at all.
    pub(super) fn unanswered_call(&mut self, stack: &mut Stack, branch: &str) {
        let placed = |leg: &Leg| leg.placed.as_ref().is_some_and(|placed| placed.branch == branch);
        if let Some(at) = self.legs.iter().position(placed) {
            self.placed_refused(stack, at);
        }
    }

    fn parent_of(&self, at: usize) -> Option<usize> {
        let id = &self.legs.get(at)?.placed.as_ref()?.on_behalf_of;
        self.legs.iter().position(|leg| leg.dialog.call_id == *id && leg.state == State::Up(true))
    }

    /// Somebody was asked: now the two are brought together, or not.
    pub(super) fn complete(&mut self, stack: &mut Stack, at: usize) {
        let Some(parent) = self.parent_of(at) else { return self.hang_up(stack, at) };
        let (Some(held), Some(asked)) = (self.legs.get(parent), self.legs.get(at)) else { return };
        if held.handover == Some(Handover::ThinksBetter) {
            stack.met("consultation given up");
            self.hang_up(stack, at);
            return self.hold(stack, parent, false);
        }
        let host = stack.server.ip();
        let backwards = asked.state == State::Up(true) && stack.rng.chance_permille(250);
        let (from, named) = if backwards { (at, held) } else { (parent, asked) };
        let replaces = escaped(&named.dialog.as_replaces());
        let value = format!("<sip:{}@{host}?Replaces={replaces}>", stack.user);
        if asked.state == State::Up(true) {
            stack.met("REFER, attended");
        }
        self.refer(stack, from, &value);
    }

    pub(super) fn cancel_placed(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        if let Some(placed) = &leg.placed {
            stack.cancel(&leg.dialog, &placed.branch, placed.cseq);
            leg.state = State::Cancelled;
        }
    }

    /// What is told of a transfer.
    pub(super) fn notified(&mut self, stack: &mut Stack, at: usize, request: &Message<'_>) {
        stack.reply(request, 200, "", &[], "");
        let status = request.body.trim_start().strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3));
        let Some(status) = status.and_then(|status| status.parse::<u16>().ok()) else { return };
        if status < 200 {
            return stack.met("transfer told to go on");
        }
        let over = self.legs.get(at).is_some_and(|leg| leg.state == State::Over);
        stack.met(if status < 300 { "transfer told done" } else { "transfer told failed" });
        if status >= 300 && !over {
            return self.back_to_talk(stack, at);
        }
        if let Some(leg) = self.legs.get_mut(at) {
            leg.refer = None;
        }
    }

    pub(super) fn check_refer(&self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get(at).filter(|leg| leg.state == State::Up(true)) else { return };
        let Some(refer) = leg.refer.as_ref().filter(|refer| refer.since + TRANSFER_MAX <= stack.now) else {
            return;
        };
        if refer.accepted && stack.strict_from <= refer.since {
            let call_id = &leg.dialog.call_id;
            stack.complaints.push(format!("the REFER in {call_id} was accepted and never came to its end"));
        }
    }
}

/// Whom an agent turns to: a colleague, a service, somebody outside, themselves, or nobody.
fn somebody(rng: &mut Rng) -> &'static str {
    one_of(
        rng,
        &[
            "agent00",
            "agent01",
            "agent02",
            "agent03",
            "agent04",
            "agent05",
            "agent06",
            "agent07",
            "agent08",
            "agent09",
            "agent10",
            "agent11",
            crate::town::ROOM,
            "demo",
            "bridge",
            "echo",
            "0612345678",
            "nobody",
        ],
    )
}

/// As it may stand in the header fields of a URI.
fn escaped(text: &str) -> String {
    text.replace('@', "%40").replace(';', "%3B").replace('=', "%3D")
}
