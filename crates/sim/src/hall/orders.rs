//! Who may hear whom, by what call control has ordered and by nothing else.

use super::voices::{Source, sound_of};
use media_api::{Command, Heard, LegId, PlayId, RoomId, Seat, Sound, Stream};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(crate) struct Orders {
    legs: BTreeMap<LegId, Leg>,
    announcements: Vec<Announcement>,
    pub(crate) complaints: Vec<String>,
}

struct Announcement {
    room: RoomId,
    play: PlayId,
    to: Option<LegId>,
    alone: bool,
    sources: BTreeSet<Source>,
}

#[derive(Default)]
struct Leg {
    /// The port by which others know it.
    number: u32,
    stream: Option<Stream>,
    play: Option<(PlayId, BTreeSet<Source>)>,
    place: Place,
}

#[derive(Clone, Default, PartialEq)]
enum Place {
    #[default]
    Alone,
    Bridge(LegId),
    Hears(LegId),
    IsHeardBy(LegId),
    Room(RoomId, Seat),
    Echo,
}

impl Orders {
    pub(crate) fn open(&mut self, leg: LegId, number: u32) {
        if self.legs.insert(leg, Leg { number, ..Leg::default() }).is_some() {
            self.complaints.push(format!("{leg:?} was opened twice"));
        }
    }

    pub(crate) fn number_of(&self, leg: LegId) -> Option<u32> {
        self.legs.get(&leg).map(|leg| leg.number)
    }

    pub(crate) fn stream_of(&self, leg: LegId) -> Option<&Stream> {
        self.legs.get(&leg)?.stream.as_ref()
    }

    pub(crate) fn legs(&self) -> impl Iterator<Item = (LegId, u32)> {
        self.legs.iter().map(|(id, leg)| (*id, leg.number))
    }

    pub(crate) fn len(&self) -> usize {
        self.legs.len()
    }

    /// What call control wants.
    pub(crate) fn apply(&mut self, command: &Command) {
        match command {
            Command::Configure { leg, stream } => {
                self.with(*leg, |leg| leg.stream = Some(stream.clone()));
            }
            Command::Play { leg, play, sounds, .. } => {
                let sources = sources_of(sounds);
                self.with(*leg, |leg| leg.play = Some((*play, sources)));
            }
            Command::Stop { leg } => self.with(*leg, |leg| leg.play = None),
            Command::Bridge { a, b } => self.join_two((*a, Place::Bridge(*b)), (*b, Place::Bridge(*a))),
            Command::Listen { leg, to } => {
                self.join_two((*leg, Place::Hears(*to)), (*to, Place::IsHeardBy(*leg)));
            }
            Command::Unbridge { leg } => self.part(*leg),
            Command::Join { leg, room, seat, .. } => {
                let again = self
                    .legs
                    .get(leg)
                    .is_some_and(|leg| matches!(leg.place, Place::Room(in_, _) if in_ == *room));
                if !again {
                    self.part(*leg);
                    self.with(*leg, |leg| leg.play = None);
                }
                self.with(*leg, |leg| leg.place = Place::Room(*room, seat.clone()));
            }
            Command::Announce { room, play, sounds, to, alone } => {
                let sources = sources_of(sounds);
                self.announcements.push(Announcement {
                    room: *room,
                    play: *play,
                    to: *to,
                    alone: *alone,
                    sources,
                });
            }
            Command::Echo { leg } => {
                self.part(*leg);
                self.with(*leg, |leg| (leg.place, leg.play) = (Place::Echo, None));
            }
            Command::Close { leg } => {
                self.part(*leg);
                self.legs.remove(leg);
            }
            Command::Open { .. }
            | Command::HearProgress { .. }
            | Command::HearKeys { .. }
            | Command::Tap { .. }
            | Command::Capture { .. }
            | Command::SendDigits { .. } => {}
        }
    }

    pub(crate) fn play_ended(&mut self, leg: LegId, play: PlayId) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.play.take_if(|(current, _)| *current == play);
        }
    }

    pub(crate) fn announced(&mut self, room: RoomId, play: PlayId) {
        self.announcements.retain(|known| known.room != room || known.play != play);
    }

    /// Who may be heard there now.
    pub(crate) fn allowed(&self, id: LegId) -> BTreeSet<Source> {
        let Some(leg) = self.legs.get(&id).filter(|leg| leg.stream.as_ref().is_some_and(Stream::may_send))
        else {
            return BTreeSet::new();
        };
        if let Some((_, sounds)) = &leg.play {
            return sounds.clone();
        }
        let mut heard = BTreeSet::new();
        if let Place::Room(room, _) = &leg.place {
            let to_it = |known: &&Announcement| known.room == *room && known.to.is_none_or(|to| to == id);
            let told: Vec<&Announcement> = self.announcements.iter().filter(to_it).collect();
            heard.extend(told.iter().flat_map(|known| known.sources.iter().copied()));
            if told.iter().any(|known| known.alone) {
                return heard;
            }
        }
        let others: Vec<LegId> = match &leg.place {
            Place::Bridge(other) | Place::Hears(other) => vec![*other],
            Place::Echo => vec![id],
            Place::Room(room, seat) if seat.hears => self.speakers(id, *room),
            Place::Room(..) | Place::Alone | Place::IsHeardBy(_) => Vec::new(),
        };
        let said =
            others.into_iter().filter_map(|other| self.legs.get(&other)).filter(|other| other.is_heard());
        heard.extend(said.map(|other| Source::Party(other.number)));
        heard
    }

    fn speakers(&self, hearer: LegId, room: RoomId) -> Vec<LegId> {
        let others = self.legs.iter().filter(|(id, other)| match &other.place {
            Place::Room(other, seat) if *other == room && **id != hearer => match &seat.heard {
                Heard::ByAll => true,
                Heard::ByNobody => false,
                Heard::By(those) => those.contains(&hearer),
            },
            _ => false,
        });
        others.map(|(id, _)| *id).collect()
    }

    fn with(&mut self, leg: LegId, act: impl FnOnce(&mut Leg)) {
        match self.legs.get_mut(&leg) {
            Some(leg) => act(leg),
            None => self.complaints.push(format!("something was ordered for {leg:?}, which is not open")),
        }
    }

    fn join_two(&mut self, a: (LegId, Place), b: (LegId, Place)) {
        for (leg, place) in [a, b] {
            self.part(leg);
            if self.stream_of(leg).is_none() {
                self.complaints.push(format!("{leg:?} was bridged before it was agreed where it is"));
            }
            self.with(leg, |leg| (leg.place, leg.play) = (place, None));
        }
    }

    fn part(&mut self, id: LegId) {
        let place = self.legs.get_mut(&id).map(|leg| std::mem::take(&mut leg.place));
        if let Some(Place::Bridge(other) | Place::Hears(other) | Place::IsHeardBy(other)) = place
            && let Some(other) = self.legs.get_mut(&other)
            && matches!(other.place, Place::Bridge(its) | Place::Hears(its) | Place::IsHeardBy(its) if its == id)
        {
            other.place = Place::Alone;
        }
    }
}

/// Any of them: the best may be missing.
fn sources_of(sounds: &[Sound]) -> BTreeSet<Source> {
    sounds.iter().flat_map(|sound| sound.iter()).map(|name| Source::Sound(sound_of(name))).collect()
}

impl Leg {
    fn is_heard(&self) -> bool {
        self.play.is_none() && self.stream.as_ref().is_some_and(Stream::may_receive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_api::{Codec, Direction};
    use std::net::SocketAddr;
    use std::sync::Arc;

    fn stream(direction: Direction) -> Stream {
        Stream { direction, ..Stream::plain(SocketAddr::from(([10, 0, 0, 9], 4000)), Codec::Pcma, 8) }
    }

    #[test]
    fn who_may_hear_whom_follows_each_order() {
        let mut orders = Orders::default();
        for leg in [1, 2, 3] {
            orders.open(LegId(leg), leg as u32 + 10);
            orders.apply(&Command::Configure { leg: LegId(leg), stream: stream(Direction::SendRecv) });
        }
        let heard = |orders: &Orders, leg| orders.allowed(LegId(leg)).into_iter().collect::<Vec<_>>();
        let party = |leg: u32| Source::Party(leg + 10);
        orders.apply(&Command::Bridge { a: LegId(1), b: LegId(2) });
        assert_eq!(
            [heard(&orders, 1), heard(&orders, 2), heard(&orders, 3)],
            [vec![party(2)], vec![party(1)], vec![]]
        );
        let sounds = vec![Arc::from([Arc::from("moh/calm")])];
        orders.apply(&Command::Play { leg: LegId(1), play: PlayId(1), sounds, repeat: true });
        assert_eq!([heard(&orders, 1), heard(&orders, 2)], [vec![Source::Sound(0)], vec![]]);
        orders.play_ended(LegId(1), PlayId(1));
        orders.apply(&Command::Configure { leg: LegId(2), stream: stream(Direction::SendOnly) });
        assert_eq!([heard(&orders, 1), heard(&orders, 2)], [vec![], vec![party(1)]]);
        orders.apply(&Command::Listen { leg: LegId(3), to: LegId(1) });
        assert_eq!(
            [heard(&orders, 1), heard(&orders, 2), heard(&orders, 3)],
            [vec![], vec![], vec![party(1)]]
        );
        orders.apply(&Command::Close { leg: LegId(1) });
        assert_eq!(heard(&orders, 3), []);
        assert_eq!(orders.complaints, Vec::<String>::new());
    }
}
