//! Who is in a conversation beside its two: third parties, and supervisors who listen, whisper or talk. From the first
//! of them on, all are in a room of the call's own, in which each has a seat.

use super::dialling::Dialling;
use super::{Call, Stage};
use crate::charges::{Charge, settle};
use crate::context::Context;
use crate::leg::Leg;
use facts::{Cause, End, FactKind, NoInterpreter, Side, SupervisionMode};
use media_api::{Command, Heard, LegId, RoomId, Seat};
use std::collections::BTreeSet;

/// More are not in one conversation beside its two.
pub(super) const GUESTS_MAX: usize = 8;

/// Those in a conversation beside its two, and who of all is muted.
#[derive(Default)]
pub(crate) struct Guests {
    list: Vec<Guest>,
    last: u32,
    muted: BTreeSet<u32>,
    room: Option<RoomId>,
    soothed: Option<Soothed>,
}

/// Who of the two has music because the other one holds, or hears that its page is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Soothed {
    leg: LegId,
    waits: bool,
}

pub(super) struct Guest {
    pub(super) number: u32,
    pub(super) kind: Kind,
    /// The token that asked.
    pub(super) by: String,
    /// For a number outside that has not answered.
    pub(super) charge: Option<Charge>,
    pub(super) state: State,
}

/// What a guest is there for.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Party,
    Supervisor(Supervision),
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Supervision {
    pub(super) supervisor: String,
    pub(super) mode: SupervisionMode,
    pub(super) basis: String,
}

pub(super) enum State {
    /// About to be dialled.
    Wanted,
    /// Its leg rings.
    Rings(Box<Dialling>),
    /// It is in the room, with this leg.
    There(u32),
}

impl Guest {
    fn leg(&self) -> Option<u32> {
        match &self.state {
            State::Wanted => None,
            State::Rings(dialling) => Some(dialling.leg),
            State::There(leg) => Some(*leg),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        matches!(self.state, State::There(_))
    }
}

impl Guests {
    /// Room for one more. Gives its number; nothing if there are enough.
    pub(super) fn expect(
        &mut self,
        kind: Kind,
        by: String,
        charge: Option<Charge>,
    ) -> Result<u32, Option<Charge>> {
        if self.list.len() >= GUESTS_MAX {
            return Err(charge);
        }
        self.last += 1;
        let number = self.last;
        self.list.push(Guest { number, kind, by, charge, state: State::Wanted });
        Ok(number)
    }

    pub(super) fn is_supervisor(&self, guest: u32) -> bool {
        self.list.iter().any(|known| known.number == guest && known.kind != Kind::Party)
    }

    /// Whether this leg is one of theirs.
    pub(super) fn is_one(&self, leg: u32) -> bool {
        self.list.iter().any(|guest| guest.leg() == Some(leg))
    }

    /// Whether this leg is that of one who is there.
    pub(super) fn is_there(&self, leg: u32) -> bool {
        self.list.iter().any(|guest| guest.is_there() && guest.leg() == Some(leg))
    }

    /// Whether this guest is expected or there.
    pub(super) fn has(&self, guest: u32) -> bool {
        self.list.iter().any(|known| known.number == guest)
    }

    /// The supervision of this account.
    pub(super) fn supervised_by(&mut self, account: &str) -> Option<&mut Guest> {
        self.list.iter_mut().find(
            |guest| matches!(&guest.kind, Kind::Supervisor(supervision) if supervision.supervisor == account),
        )
    }

    /// The leg of a supervisor, if it has one.
    pub(super) fn leg_of_supervisor(&mut self, account: &str) -> Option<u32> {
        self.supervised_by(account).and_then(|guest| guest.leg())
    }

    /// Whether this leg is that of a third party.
    pub(super) fn is_party(&self, leg: u32) -> bool {
        self.list.iter().any(|guest| guest.leg() == Some(leg) && guest.kind == Kind::Party)
    }

    pub(super) fn is_muted(&self, leg: u32) -> bool {
        self.muted.contains(&leg)
    }

    /// What the supervisor of this leg does, if it is there.
    pub(super) fn supervision(&self, leg: u32) -> Option<SupervisionMode> {
        let guest = self.list.iter().find(|guest| guest.is_there() && guest.leg() == Some(leg))?;
        match &guest.kind {
            Kind::Supervisor(supervision) => Some(supervision.mode),
            Kind::Party => None,
        }
    }

    pub(super) fn dialled_on(&self, leg: u32) -> Option<&Dialling> {
        self.dialled().find(|dialling| dialling.leg == leg)
    }

    /// All that is being dialled for them.
    pub(super) fn dialled(&self) -> impl Iterator<Item = &Dialling> {
        self.list.iter().filter_map(|guest| match &guest.state {
            State::Rings(dialling) => Some(&**dialling),
            State::Wanted | State::There(_) => None,
        })
    }

    pub(super) fn has_room(&self) -> bool {
        self.room.is_some()
    }

    /// What played to the two has been ended.
    pub(super) fn forget_music(&mut self) {
        self.soothed = None;
    }

    /// All of the room have left it, or do so now.
    pub(super) fn close_room(&mut self) {
        (self.room, self.soothed) = (None, None);
    }

    /// Who is there with this leg has the other one from now on.
    fn goes_on_by(&mut self, old: u32, new: u32) -> Option<(Kind, String)> {
        let guest = self.list.iter_mut().find(|guest| guest.is_there() && guest.leg() == Some(old))?;
        guest.state = State::There(new);
        Some((guest.kind.clone(), guest.by.clone()))
    }

    /// This leg is over, whosever it was.
    pub(super) fn forget(&mut self, leg: u32) {
        self.muted.remove(&leg);
    }

    /// A guest who was expected is there, with this leg.
    pub(super) fn arrives(&mut self, guest: u32, leg: u32) {
        if let Some(guest) = self.list.iter_mut().find(|known| known.number == guest) {
            guest.state = State::There(leg);
        }
    }

    fn take_out(&mut self, leg: u32) -> Option<Guest> {
        let at = self.list.iter().position(|guest| guest.leg() == Some(leg))?;
        Some(self.list.remove(at))
    }
}

impl Call {
    /// Whether this leg's party talks: it is one of the two, or a guest who is there.
    pub(super) fn is_in_talk(&self, number: u32) -> bool {
        self.pair_numbers().is_some_and(|(a, b)| a == number || b == number) || self.guests.is_there(number)
    }

    /// Whether those who talk do so in a room.
    pub(super) fn is_conference(&self) -> bool {
        let guests = &self.guests;
        !guests.muted.is_empty() || guests.list.iter().any(Guest::is_there)
    }

    /// A guest is being dialled.
    pub(super) fn guest_is_dialled(&mut self, guest: u32, dialling: Dialling) {
        if let Some(guest) = self.guests.list.iter_mut().find(|known| known.number == guest) {
            guest.state = State::Rings(Box::new(dialling));
        }
    }

    /// The answer of a guest: it has its seat from now on. False if the leg is no guest's.
    pub(super) fn guest_answered(&mut self, ctx: &mut Context, number: u32) -> bool {
        let Some(guest) = self.guests.list.iter_mut().find(|guest| guest.leg() == Some(number)) else {
            return false;
        };
        guest.state = State::There(number);
        let (kind, by, charge) = (guest.kind.clone(), guest.by.clone(), guest.charge.take());
        if let Some(leg) = self.leg(number) {
            leg.is_charged(ctx, charge);
        }
        self.note_comes(ctx, number, kind, by);
        self.take_seats(ctx);
        true
    }

    /// A guest who is there has taken its leg over to another device, or to its page that was loaded anew. The others hear
    /// nothing of it.
    pub(super) fn guest_goes_on_by(&mut self, ctx: &mut Context, old: u32, new: u32) {
        self.takes_back(ctx, old, new);
        let Some((kind, by)) = self.guests.goes_on_by(old, new) else { return };
        self.leaves_room(ctx, old);
        self.note_comes(ctx, new, kind.clone(), by);
        self.hands_on(ctx, old, new);
        self.guests.muted.remove(&old);
        self.note_goes(ctx, old, kind);
        self.take_seats(ctx);
    }

    fn note_comes(&mut self, ctx: &mut Context, number: u32, kind: Kind, by: String) {
        let Some(role) = self.leg(number).map(|leg| leg.role) else { return };
        let fact = match kind {
            Kind::Party => FactKind::ConferenceJoined { leg: number, role, by },
            Kind::Supervisor(Supervision { supervisor, mode, basis }) => {
                let agent = self.agent_in_talk().and_then(|leg| leg.agent.clone()).unwrap_or_default();
                FactKind::SupervisionStarted { leg: number, supervisor, agent, mode, basis, by }
            }
        };
        self.note(ctx, fact);
    }

    fn note_goes(&mut self, ctx: &mut Context, number: u32, kind: Kind) {
        let fact = match kind {
            Kind::Party => FactKind::ConferenceLeft { leg: number },
            Kind::Supervisor(Supervision { supervisor, .. }) => {
                FactKind::SupervisionEnded { leg: number, supervisor }
            }
        };
        self.note(ctx, fact);
    }

    /// A leg that is not over hears nobody from now on, and nobody hears it.
    pub(super) fn leaves_room(&mut self, ctx: &mut Context, number: u32) {
        if let Some(leg) = self.leg(number).filter(|leg| !leg.media_is_over()) {
            ctx.media(Command::Unbridge { leg: leg.media });
        }
    }

    /// The leg of a guest came to this end, or is about to: who is there leaves, who was rung may be called another way.
    /// False if it is no guest's.
    pub(super) fn guest_over(&mut self, ctx: &mut Context, number: u32, end: &End) -> bool {
        if self.end.is_some() {
            return false;
        }
        let Some(guest) = self.guests.list.iter_mut().find(|guest| guest.leg() == Some(number)) else {
            return false;
        };
        if guest.is_there() {
            self.guest_leaves(ctx, number);
        } else if let State::Rings(dialling) = std::mem::replace(&mut guest.state, State::Wanted) {
            self.dial_on(ctx, *dialling, end.clone());
        }
        true
    }

    /// Nobody can be reached for a guest.
    pub(super) fn guest_failed(&mut self, ctx: &mut Context, guest: u32) {
        let Some(at) = self.guests.list.iter().position(|known| known.number == guest) else { return };
        if let Some(charge) = self.guests.list.remove(at).charge {
            settle(ctx, charge);
        }
    }

    /// Ends a guest's leg, whether it rings or talks.
    pub(super) fn dismiss_guest(&mut self, ctx: &mut Context, number: u32, end: End) {
        self.guest_leaves(ctx, number);
        if let Some(leg) = self.leg(number) {
            leg.dismiss(ctx, end);
        }
    }

    /// The session of a guest who is there is over.
    pub(super) fn guest_ended(&mut self, ctx: &mut Context, number: u32) {
        if self.guests.is_there(number) {
            self.guest_leaves(ctx, number);
        }
        self.guests.forget(number);
    }

    /// A guest hears nobody from now on, and nobody hears it.
    fn guest_leaves(&mut self, ctx: &mut Context, number: u32) {
        let Some(guest) = self.guests.take_out(number) else { return };
        let was_there = guest.is_there();
        if let Some(charge) = guest.charge {
            settle(ctx, charge);
        }
        if !was_there {
            return;
        }
        self.leaves_room(ctx, number);
        self.guests.muted.remove(&number);
        self.lost.forget(number);
        self.note_goes(ctx, number, guest.kind);
        self.sooth(ctx);
    }

    /// The conversation goes to somebody else: third parties stay in it, whoever supervised its agent does not, and nobody
    /// is muted any more.
    pub(super) fn hand_on_conference(&mut self, ctx: &mut Context) {
        let stays = self.guests.list.iter().any(|guest| guest.is_there() && guest.kind == Kind::Party);
        if !stays {
            self.guests.close_room();
        }
        for leg in std::mem::take(&mut self.guests.muted) {
            self.note(ctx, FactKind::ConferenceMuted { leg, muted: false, by: String::new() });
        }
        let supervisors = self.guests.list.iter().filter(|guest| guest.kind != Kind::Party);
        let legs: Vec<u32> = supervisors.filter_map(Guest::leg).collect();
        self.dismiss_guests(ctx, &legs);
    }

    /// The conversation is over for all who are in it beside its two.
    pub(super) fn part_from_guests(&mut self, ctx: &mut Context) {
        self.stop_seeking(ctx, NoInterpreter::TooLate);
        self.guests.close_room();
        let legs: Vec<u32> = self.guests.list.iter().filter_map(Guest::leg).collect();
        self.dismiss_guests(ctx, &legs);
    }

    fn dismiss_guests(&mut self, ctx: &mut Context, legs: &[u32]) {
        let end = End::new(Side::Callee, Cause::OtherSideLeft).place(self.place());
        legs.iter().for_each(|leg| self.dismiss_guest(ctx, *leg, end.clone()));
    }

    /// Whoever of a conference is muted, or is not any more. False if that leg is not in it, or is a supervisor's.
    pub(super) fn mute(&mut self, ctx: &mut Context, leg: u32, muted: bool, by: String) -> bool {
        let is_of_two = self.pair_numbers().is_some_and(|(a, b)| a == leg || b == leg);
        let is_party = self.guests.is_party(leg) && self.leg(leg).is_some_and(|leg| leg.connected);
        if !is_of_two && !is_party {
            return false;
        }
        let changed = if muted { self.guests.muted.insert(leg) } else { self.guests.muted.remove(&leg) };
        if changed {
            self.note(ctx, FactKind::ConferenceMuted { leg, muted, by });
            self.take_seats(ctx);
        }
        true
    }

    /// A party has taken the call on another device: who was muted is not heard from there either. The old leg stays muted
    /// until it is over.
    pub(super) fn mute_goes_along(&mut self, ctx: &mut Context, old: u32, new: u32) {
        if self.guests.is_muted(old) && self.guests.muted.insert(new) {
            self.note(ctx, FactKind::ConferenceMuted { leg: new, muted: true, by: String::new() });
        }
    }

    /// The agent of the two who talk: the one who was called, if both are agents.
    pub(super) fn agent_in_talk(&self) -> Option<&Leg> {
        let (caller, other) = self.pair_numbers()?;
        let found = |number| self.legs.iter().find(|leg| leg.number == number && leg.agent.is_some());
        found(other).or_else(|| found(caller))
    }

    /// All of the conversation are in the room, each in the seat that is right now. Who was there before hears no gap.
    pub(super) fn take_seats(&mut self, ctx: &mut Context) {
        if self.is_parted() {
            return;
        }
        self.ask_for_each_other();
        let rooms = &mut ctx.rooms;
        let room = *self.guests.room.get_or_insert_with(|| rooms.of_a_call());
        let pair = self.pair().map(|(a, b)| [a, b]);
        let of_two = |leg: &Leg| pair.is_some_and(|pair| pair.contains(&leg.media));
        let agent = self.agent_in_talk().map(|leg| leg.media);
        let seats: Vec<(LegId, Seat)> = self
            .legs
            .iter()
            .filter(|leg| leg.connected && leg.dismissed.is_none())
            .filter(|leg| of_two(leg) || self.guests.is_one(leg.number))
            .map(|leg| (leg.media, self.seat_of(leg, agent)))
            .collect();
        for (leg, seat) in seats {
            ctx.media(Command::Join { leg, room, seat, chime: false });
        }
        self.expect_keys(ctx);
        self.sooth(ctx);
    }

    /// Who holds is not heard: what its device plays is not for the others.
    fn seat_of(&self, leg: &Leg, agent: Option<LegId>) -> Seat {
        if leg.held || self.guests.is_muted(leg.number) {
            return Seat::LISTENING;
        }
        match self.guests.supervision(leg.number) {
            None | Some(SupervisionMode::Barge) => Seat::OPEN,
            Some(SupervisionMode::Listen) => Seat::LISTENING,
            Some(SupervisionMode::Whisper) => {
                Seat { hears: true, heard: Heard::By(agent.into_iter().collect()) }
            }
        }
    }

    /// Who would be alone because the other of the two is away is told so, or has music: not beside a third party, who is there
    /// to talk with.
    fn sooth(&mut self, ctx: &mut Context) {
        if !self.guests.has_room() || !matches!(self.stage, Stage::Talking { .. }) {
            return;
        }
        let alone = self.left_alone();
        let before = std::mem::replace(&mut self.guests.soothed, alone);
        if before == alone {
            return;
        }
        if let Some(Soothed { leg, .. }) = before {
            ctx.media(Command::Stop { leg });
        }
        let Some(Soothed { leg, waits }) = alone else { return };
        let sounds =
            if waits { self.comforting(ctx) } else { ctx.config.hold_music.iter().cloned().collect() };
        if !sounds.is_empty() {
            ctx.play(leg, sounds, true);
        }
    }

    fn left_alone(&self) -> Option<Soothed> {
        let (a, b) = self.pair_numbers()?;
        let find = |number| self.legs.iter().find(|leg| leg.number == number);
        let (a, b) = (find(a)?, find(b)?);
        let (alone, other) = match (self.is_away(a), self.is_away(b)) {
            (true, false) => (b, a),
            (false, true) => (a, b),
            _ => return None,
        };
        let talks = |guest: &&Guest| guest.is_there() && guest.kind == Kind::Party;
        let beside = |guest: &Guest| guest.leg().and_then(find).is_some_and(|leg| !self.is_away(leg));
        let is_accompanied = self.guests.list.iter().filter(talks).any(beside);
        (!is_accompanied).then_some(Soothed { leg: alone.media, waits: self.waits_for_page(other) })
    }

    fn is_away(&self, leg: &Leg) -> bool {
        leg.is_away() || self.waits_for_page(leg)
    }

    /// A page is gone, or back and still without its keys.
    fn waits_for_page(&self, leg: &Leg) -> bool {
        self.lost.has(leg.number) || (self.warming.is_some() && leg.waits_for_keys())
    }
}
