//! All sessions: found by their keys and local tags, woken by their deadlines, at most a stated number.

use super::half_open::{HalfOpen, Whose};
use super::reliable::{self, Progress};
use super::stray::reject_fork;
use super::terms::Terms;
use super::timer;
use super::{Asked, Dialog, Session};
use crate::cause;
use crate::locate::Query;
use crate::message::{Message, Method};
use crate::referral::Replaces;
use crate::transaction::{Failed, Passed, TransactionId};
use crate::ua::wire::Wire;
use crate::ua::{Call, Do, Ending, Event, Flow, How, Peer, SessionId};
use base::{Key, Slots, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a callee is told that rings after we have given up: recovery on timer expiry.
const TOO_LATE: u8 = 102;

/// The table.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// Nothing in a place: reserved for a call.
    places: Slots<Place>,
    /// Local tags are ours and random: they name a dialog among ours, the rest is compared.
    tags: BTreeMap<Box<str>, SessionId>,
    streams: BTreeSet<(Flow, SessionId)>,
    deadlines: BTreeSet<(Time, SessionId)>,
    half_open: HalfOpen,
    /// Those that have heard of a name and wait for this answer. Every query has an end, and so has the waiting.
    locating: BTreeMap<Query, BTreeSet<SessionId>>,
}

#[derive(Debug)]
struct Place {
    session: Option<Box<Session>>,
    armed: Time,
    stream: Option<Flow>,
    /// It counts as half open there.
    half_open: Option<Whose>,
}

impl Sessions {
    pub(crate) fn new(limit: usize) -> Sessions {
        Sessions {
            places: Slots::new(limit),
            tags: BTreeMap::new(),
            streams: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            half_open: HalfOpen::default(),
            locating: BTreeMap::new(),
        }
    }

    /// A place for a call; nothing at the limit.
    pub(crate) fn reserve(&mut self) -> Option<SessionId> {
        let place = Place { session: None, armed: Time::FAR, stream: None, half_open: None };
        self.places.insert(place).ok().map(outer)
    }

    /// How many there are, those reserved and those that only part in good order among them.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether the extensions that an INVITE wants, and those that we want of its sender, agree. The status
    /// that says so if not.
    pub(crate) fn admits(&self, wire: &Wire, peer: &Peer, request: &Message) -> Result<(), u16> {
        let terms = Terms::new(wire, wire.trunk_of(peer));
        reliable::agreed(terms.prack, request)?;
        match timer::refuses(request, timer::least(&wire.config.extensions)) {
            Some(_) => Err(422),
            None => Ok(()),
        }
    }

    /// Whether this peer may begin one more call that is neither answered nor acknowledged.
    pub(crate) fn has_room_for(&self, wire: &Wire, peer: &Peer, flow: Flow) -> bool {
        self.half_open.has_room_for(&Whose::of(peer, flow), &wire.config.limits)
    }

    /// Takes an INVITE outside of dialogs in. One that no dialog can be made of (it has no Contact, or too
    /// many Record-Routes) is given back: 400.
    pub(crate) fn invited(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        (transaction, request, flow): (TransactionId, Message, Flow),
        peer: &Peer,
    ) -> Result<(), Message> {
        let symmetric = matches!(peer, Peer::Account(_));
        let Some(dialog) = Dialog::of_invite(wire, &request, flow, symmetric) else { return Err(request) };
        let trunk = wire.trunk_of(peer).cloned();
        let asked = Asked { transaction, request, flow };
        if let Some(place) = self.places.get_mut(inner(id)) {
            let whose = Whose::of(peer, flow);
            self.half_open.begin(whose.clone());
            place.half_open = Some(whose);
        }
        self.put(id, Session::invited(wire, now, id, dialog, asked, trunk.as_ref()));
        self.locate(wire, now, id);
        Ok(())
    }

    /// Gives a reserved place back.
    pub(crate) fn release(&mut self, id: SessionId) {
        self.places.remove(inner(id));
    }

    /// An act of the engine on a session. One on a session that is over is passed over.
    pub(crate) fn act(&mut self, wire: &mut Wire, now: Time, act: Do) {
        match act {
            Do::Progress { session, status, sdp, early_media } => {
                let progress = Progress { status, sdp, early_media };
                self.with(wire, now, session, |it, wire| it.progress(wire, now, progress));
            }
            Do::Accept { session, sdp } => {
                self.with(wire, now, session, |it, wire| it.accept(wire, now, sdp))
            }
            Do::Refuse { session, status, q850, warning } => {
                self.with(wire, now, session, |it, wire| it.refuse(wire, now, status, q850, warning));
            }
            Do::HangUp { session, q850 } => self.hang_up(wire, now, session, q850),
            Do::Reoffer { session, sdp } => {
                self.with(wire, now, session, |it, wire| it.reoffer(wire, now, sdp))
            }
            Do::AcceptReoffer { session, sdp } => {
                self.with(wire, now, session, |it, wire| it.accept_reoffer(wire, now, sdp));
            }
            Do::RefuseReoffer { session, status, warning } => {
                self.with(wire, now, session, |it, wire| it.refuse_reoffer(wire, now, status, warning));
            }
            Do::SendKey { session, key } => {
                self.with(wire, now, session, |it, wire| it.send_key(wire, now, key))
            }
            Do::Refer { session, refer } => {
                self.with(wire, now, session, |it, wire| it.refer(wire, now, refer))
            }
            Do::AnswerRefer { session, refer, status } => {
                self.with(wire, now, session, |it, wire| it.answer_refer(wire, now, refer, status));
            }
            Do::ReferProgress { session, refer, status } => {
                self.with(wire, now, session, |it, wire| it.refer_progress(wire, now, refer, status));
            }
            Do::Call { .. }
            | Do::Register { .. }
            | Do::Unregister { .. }
            | Do::Ban { .. }
            | Do::LiftBan { .. }
            | Do::Reconfigure { .. }
            | Do::Occupation { .. }
            | Do::Messages { .. }
            | Do::ForwardText { .. }
            | Do::RefuseText { .. } => {}
        }
    }

    /// Calls with a reserved id, by the first of these ways that works.
    pub(crate) fn call(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        call: Call,
        ways: VecDeque<Flow>,
        symmetric: bool,
    ) {
        if !self.is_reserved(id) {
            return;
        }
        match Session::call(wire, now, id, call, ways, symmetric) {
            Some(session) => self.put(id, session),
            None => {
                let detail = "as many transactions as allowed are under way".to_owned();
                self.end_reserved(wire, id, How::Capacity, detail);
            }
        }
    }

    /// The Call-ID of a session that has a dialog; nothing if its place is only reserved, or gone.
    pub(crate) fn call_id(&self, id: SessionId) -> Option<&str> {
        Some(&self.places.get(inner(id))?.session.as_ref()?.dialog.call_id)
    }

    /// By which way a request within a session would go now.
    pub(crate) fn way_of(&self, wire: &Wire, id: SessionId) -> Option<Flow> {
        Some(self.places.get(inner(id))?.session.as_ref()?.dialog.way_now(wire))
    }

    /// Whether the place of a call to come is kept.
    pub(crate) fn is_reserved(&self, id: SessionId) -> bool {
        self.places.get(inner(id)).is_some_and(|place| place.session.is_none())
    }

    /// A call with a reserved id that cannot be made ends so.
    pub(crate) fn end_reserved(&mut self, wire: &mut Wire, id: SessionId, how: How, detail: String) {
        if self.is_reserved(id) {
            self.release(id);
            let ending = Ending { how, status: None, q850: None, detail };
            wire.tell(Event::Ended { session: id, ending });
        }
    }

    /// Our tag in a session.
    pub(crate) fn local_tag(&self, id: SessionId) -> Option<&str> {
        Some(&self.places.get(inner(id))?.session.as_ref()?.dialog.local_tag)
    }

    /// The session that a request within a dialog is about.
    pub(crate) fn find(&self, request: &Message) -> Option<SessionId> {
        let id = *self.tags.get(request.to().ok()?.tag()?)?;
        let session = self.places.get(inner(id))?.session.as_ref()?;
        session.dialog.is_of(request).then_some(id)
    }

    /// The call of ours that an INVITE outside of dialogs is: one that proxies have sent back to us. From's tag is
    /// ours, and nobody else makes such.
    pub(crate) fn came_back(&self, invite: &Message) -> Option<SessionId> {
        let id = *self.tags.get(invite.from().ok()?.tag()?)?;
        let session = self.places.get(inner(id))?.session.as_ref()?;
        (session.caller && invite.call_id() == Ok(&*session.dialog.call_id)).then_some(id)
    }

    /// The session whose dialog a Replaces names: ours is the tag that is first in it, or the other one, as
    /// those write it who transfer the wrong way round.
    pub(crate) fn replaced(&self, replaces: &Replaces) -> Option<SessionId> {
        let by_tag = |tag: &str| self.tags.get(tag).copied();
        [(&replaces.to_tag, &replaces.from_tag), (&replaces.from_tag, &replaces.to_tag)].into_iter().find_map(
            |(local, remote)| {
                let id = by_tag(local)?;
                let session = self.places.get(inner(id))?.session.as_ref()?;
                session.dialog.is_named(&replaces.call_id, remote).then_some(id)
            },
        )
    }

    /// Whether an INVITE may take the place of this session (RFC 3891 §3), or the status that refuses it.
    pub(crate) fn may_be_replaced(&self, id: SessionId, early_only: bool) -> Result<(), u16> {
        let session = self.places.get(inner(id)).and_then(|place| place.session.as_ref());
        session.ok_or(481).and_then(|session| session.may_be_replaced(early_only))
    }

    /// How a third party names this session in a Replaces that it sends to the peer of the session.
    pub(crate) fn name_of(&self, id: SessionId) -> Option<Replaces> {
        self.places.get(inner(id))?.session.as_ref()?.dialog.as_replaces()
    }

    /// The peer's Contact.
    pub(crate) fn peer_uri(&self, id: SessionId) -> Option<&str> {
        Some(self.places.get(inner(id))?.session.as_ref()?.dialog.remote_target())
    }

    /// Whether the peer takes keys by INFO.
    pub(crate) fn takes_keys(&self, id: SessionId) -> bool {
        let session = self.places.get(inner(id)).and_then(|place| place.session.as_ref());
        session.is_some_and(|session| session.takes_keys())
    }

    /// A request that [`find`](Sessions::find) gave this session for.
    pub(crate) fn request(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        transaction: TransactionId,
        request: Message,
        flow: Flow,
    ) {
        self.with(wire, now, id, |it, wire| it.request(wire, now, Asked { transaction, request, flow }));
    }

    /// An ACK that no transaction took: that of a 2xx, or a stray one.
    pub(crate) fn acknowledged(&mut self, wire: &mut Wire, now: Time, ack: &Message) {
        if let Some(id) = self.find(ack) {
            self.with(wire, now, id, |it, wire| it.acknowledged(wire, now, ack));
        }
    }

    /// The peer cancelled an INVITE.
    pub(crate) fn cancelled(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        invite: TransactionId,
        q850: Option<u8>,
    ) {
        self.with(wire, now, id, |it, wire| it.cancelled(wire, now, invite, q850));
    }

    /// A response to one of our requests. A 2xx for a session that is forgotten is rejected.
    pub(crate) fn response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        passed: Passed,
        response: &Message,
    ) {
        let known = self.places.get(inner(id)).is_some_and(|place| place.session.is_some());
        let success = response.status().is_some_and(|status| (200..300).contains(&status));
        let invite = response.cseq().is_ok_and(|(_, method)| method == Method::Invite);
        if known {
            self.with(wire, now, id, |it, wire| it.response(wire, now, passed.id, response, passed.flow));
        } else if success && invite {
            reject_fork(wire, now, passed.id, response, (passed.flow, false));
        } else if invite && response.status().is_some_and(|status| status < 200) {
            // It begins to ring after we have given up: without room for a CANCEL, until somebody tires there.
            wire.transactions.cancel(now, passed.id, &cause::reason(TOO_LATE), &mut wire.out);
        }
    }

    /// One of our requests came to nothing.
    pub(crate) fn failed(&mut self, wire: &mut Wire, now: Time, id: SessionId, failed: Failed) {
        self.with(wire, now, id, |it, wire| it.failed(wire, now, failed.id, failed.failure));
    }

    /// A stream broke.
    pub(crate) fn flow_failed(&mut self, wire: &mut Wire, now: Time, flow: Flow) {
        let (first, last) = ((flow, Key::from_number(0)), (flow, Key::from_number(u64::MAX)));
        let ids: Vec<SessionId> = self.streams.range(first..=last).map(|(_, id)| *id).collect();
        for id in ids {
            self.with(wire, now, id, |it, wire| it.flow_failed(wire, now));
        }
    }

    /// The next deadline of any session.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, wire: &mut Wire, now: Time) {
        let due: Vec<SessionId> =
            self.deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        for id in due {
            self.with(wire, now, id, |it, wire| it.handle_timeout(wire, now));
        }
    }

    /// A place that was only reserved is given back; its end is told like any other.
    fn hang_up(&mut self, wire: &mut Wire, now: Time, id: SessionId, q850: Option<u8>) {
        match self.places.get(inner(id)) {
            Some(Place { session: None, .. }) => {
                self.release(id);
                let ending = Ending { how: How::Ours, status: None, q850, detail: String::new() };
                wire.tell(Event::Ended { session: id, ending });
            }
            _ => self.with(wire, now, id, |it, wire| it.hang_up(wire, now, q850)),
        }
    }

    fn put(&mut self, id: SessionId, session: Session) {
        let Some(place) = self.places.get_mut(inner(id)) else { return };
        self.tags.insert(session.dialog.local_tag.clone(), id);
        place.session = Some(Box::new(session));
        self.settle(id);
    }

    /// Does something with a session. Before, it learns where names are by now; after, it asks for those of which it
    /// has heard.
    fn with(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        what: impl FnOnce(&mut Session, &mut Wire),
    ) {
        if let Some(session) = self.places.get_mut(inner(id)).and_then(|place| place.session.as_mut()) {
            session.locate(wire, now);
            what(session, wire);
            self.locate(wire, now, id);
            self.settle(id);
        }
    }

    /// Lets a session look for the servers that its next requests go to, and wake it when there are answers.
    fn locate(&mut self, wire: &mut Wire, now: Time, id: SessionId) {
        let session = self.places.get_mut(inner(id)).and_then(|place| place.session.as_mut());
        for query in session.map(|session| session.locate(wire, now)).unwrap_or_default() {
            self.locating.entry(query).or_default().insert(id);
        }
    }

    /// A name server has answered, or never will: those who waited for it go on looking.
    pub(crate) fn located(&mut self, wire: &mut Wire, now: Time, query: &Query) {
        for id in self.locating.remove(query).unwrap_or_default() {
            self.locate(wire, now, id);
        }
    }

    /// Sets a session's alarm anew, or forgets it if it is over.
    fn settle(&mut self, id: SessionId) {
        let Some(place) = self.places.get_mut(inner(id)) else { return };
        let Some(session) = place.session.as_ref() else { return };
        let (over, deadline) = (session.is_over(), session.deadline());
        if over || deadline != place.armed {
            self.deadlines.remove(&(place.armed, id));
            place.armed = deadline;
            if !over && deadline < Time::FAR {
                self.deadlines.insert((deadline, id));
            }
        }
        let stream = Some(session.dialog.flow).filter(|flow| !over && flow.transport.is_stream());
        if stream != place.stream {
            place.stream.take().map(|flow| self.streams.remove(&(flow, id)));
            self.streams.extend(stream.map(|flow| (flow, id)));
            place.stream = stream;
        }
        if over || !session.is_half_open() {
            place.half_open.take().into_iter().for_each(|whose| self.half_open.end(&whose));
        }
        if over {
            self.tags.remove(&session.dialog.local_tag);
            self.places.remove(inner(id));
        }
        let most = self.places.len();
        debug_assert!(self.tags.len() <= most && self.streams.len() <= most && self.deadlines.len() <= most);
    }
}

/// The table's key of a session, and the one that is given out: the same number.
fn inner(id: SessionId) -> Key<Place> {
    Key::from_number(id.number())
}

fn outer(key: Key<Place>) -> SessionId {
    SessionId::from_number(key.number())
}
