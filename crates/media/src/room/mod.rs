//! A room: who is heard in each 20 ms, and what each listener hears of it.
//!
//! Each party's speech is decoded once. Those who are heard by all are summed once; who speaks hears the sum less
//! its own part, and all who do not share one mix, encoded once for each format. So a room costs as much more as it has
//! parties more. What is whispered is added for whom it is meant.

mod chime;
mod voice;

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Key, Seed, Slots, Time};
use media_api::{Heard, LegId, Seat};

use crate::cadence::{CATCH_UP_MAX, Cadence};
use crate::ear::Ear;
use crate::leg::{Leg, Received, Spoken};
use crate::line::Talker;
use crate::outbox::Outbox;
use chime::Chime;
pub(crate) use voice::Format;
use voice::Voice;

/// So many are heard at a time; of more the loudest. Nobody understands more, and noise adds up.
const SPEAKERS_MAX: usize = 8;
/// How much louder another one must be to take a speaker's place, in sixteenths.
const HELD_PLACE: u64 = 24;
/// A whisper reaches so many.
const WHISPERED_TO_MAX: usize = 16;
const FRAMES_PER_SECOND: u32 = 50;
/// A format that nobody has heard for so many frames is forgotten.
const FORMAT_KEPT: u64 = 500;
/// The rate of telephones, where nobody has spoken yet.
const RATE_MIN: u32 = 8000;

#[derive(Debug)]
pub(crate) struct Room {
    cadence: Cadence,
    /// What is mixed has so many samples a second: the best that any party can hear of another.
    sample_rate: u32,
    members: BTreeMap<Key<Leg>, Member>,
    /// For those who hear the same as others, one of each format, and in which frame it last wrote.
    shared: Vec<(Voice, u64)>,
    chimes: Vec<Chime>,
    frame: u64,
    seed: Seed,
    // Kept from frame to frame, so that a frame allocates nothing.
    loudest: Vec<(u64, Key<Leg>)>,
    whispering: Vec<Key<Leg>>,
    listeners: Vec<Key<Leg>>,
    sum: Vec<i32>,
    mix: Vec<i16>,
    own_sum: Vec<i32>,
    own_mix: Vec<i16>,
    chimes_sound: bool,
}

#[derive(Debug)]
struct Member {
    leg: LegId,
    seat: Seat,
    chime: bool,
    ear: Option<Box<Ear>>,
    /// For a mix of its own.
    voice: Option<Box<Voice>>,
    /// What it says in this frame; its samples are silence if it says nothing.
    frame: Vec<i16>,
    is_said: bool,
    /// It is one of those who are heard by all.
    speaks: bool,
}

/// What a listener hears in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    Nothing,
    /// All who speak.
    All,
    /// What only it hears.
    ItsOwn,
}

impl Room {
    /// An empty room whose frames fall in this phase of each 20 ms.
    pub(crate) fn new(now: Time, phase: Duration, seed: Seed) -> Room {
        let mut cadence = Cadence::new(phase);
        cadence.start(now);
        Room {
            cadence,
            sample_rate: RATE_MIN,
            members: BTreeMap::new(),
            shared: Vec::new(),
            chimes: Vec::new(),
            frame: 0,
            seed,
            loudest: Vec::new(),
            whispering: Vec::new(),
            listeners: Vec::new(),
            sum: Vec::new(),
            mix: Vec::new(),
            own_sum: Vec::new(),
            own_mix: Vec::new(),
            chimes_sound: false,
        }
    }

    /// A leg comes, or has another seat from now on.
    pub(crate) fn join(&mut self, key: Key<Leg>, leg: LegId, mut seat: Seat, chime: bool) {
        if let Heard::By(legs) = &mut seat.heard {
            legs.truncate(WHISPERED_TO_MAX);
        }
        if let Some(member) = self.members.get_mut(&key) {
            return member.seat = seat;
        }
        if chime {
            self.chimes.push(Chime::up(self.sample_rate));
        }
        let member = Member {
            leg,
            seat,
            chime,
            ear: None,
            voice: None,
            frame: Vec::new(),
            is_said: false,
            speaks: false,
        };
        self.members.insert(key, member);
    }

    /// A leg leaves. True if the room is empty now.
    pub(crate) fn leave(&mut self, key: Key<Leg>) -> bool {
        if self.members.remove(&key).is_some_and(|member| member.chime) {
            self.chimes.push(Chime::down(self.sample_rate));
        }
        self.members.is_empty()
    }

    /// Takes a packet of a party.
    pub(crate) fn hear(&mut self, now: Time, received: &Received<'_>) {
        let Some(member) = self.members.get_mut(&received.from) else { return };
        if let Spoken::Speech(codec) = received.spoken
            && member.ear.as_ref().is_none_or(|ear| ear.codec() != codec)
        {
            let seed = self.seed.numbered(member.leg.0);
            member.ear = Some(Box::new(Ear::new(codec, self.sample_rate, seed)));
        }
        if let Some(ear) = &mut member.ear {
            ear.hear(now, &received.arrived());
        }
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.cadence.due()
    }

    /// Mixes and sends what is due.
    pub(crate) fn handle_timeout(&mut self, now: Time, legs: &mut Slots<Leg>, out: &mut Outbox) {
        for _ in 0..CATCH_UP_MAX {
            let Some(nominal) = self.cadence.next(now) else { return };
            self.choose_rate(legs);
            self.take_frames(now);
            self.choose_speakers();
            self.add_up();
            self.send(nominal, legs, out);
        }
        if self.cadence.skip(now) > 0 {
            for key in self.members.keys() {
                legs.get_mut(*key).into_iter().for_each(|leg| leg.falls_silent(Talker::Room));
            }
        }
    }

    /// Mixes at the second best rate: what only one party could hear is worth nothing, for it does not hear itself.
    fn choose_rate(&mut self, legs: &Slots<Leg>) {
        let (mut best, mut second) = (0, 0);
        for format in self.members.keys().filter_map(|key| legs.get(*key)?.format()) {
            let rate = format.codec.sample_rate();
            (best, second) = if rate > best { (rate, best) } else { (best, second.max(rate)) };
        }
        let rate = second.max(RATE_MIN);
        if rate == self.sample_rate {
            return;
        }
        self.sample_rate = rate;
        self.shared.clear();
        self.chimes.clear();
        for member in self.members.values_mut() {
            member.voice = None;
            member.ear.iter_mut().for_each(|ear| ear.set_sample_rate(rate));
        }
    }

    fn take_frames(&mut self, now: Time) {
        for member in self.members.values_mut() {
            let heard = member.seat.heard != Heard::ByNobody;
            member.is_said = match &mut member.ear {
                // Taken whether it is heard or not, or it would be heard late when its seat changes.
                Some(ear) => ear.take(now, &mut member.frame) && heard,
                None => false,
            };
        }
    }

    fn choose_speakers(&mut self) {
        self.loudest.clear();
        for (key, member) in &self.members {
            if member.is_said && member.seat.heard == Heard::ByAll {
                let level = energy(&member.frame) * if member.speaks { HELD_PLACE } else { 16 };
                self.loudest.push((level, *key));
            }
        }
        if self.loudest.len() > SPEAKERS_MAX {
            self.loudest.sort_unstable_by(|one, other| other.cmp(one));
            self.loudest.truncate(SPEAKERS_MAX);
        }
        self.members.values_mut().for_each(|member| member.speaks = false);
        for (_, key) in &self.loudest {
            self.members.get_mut(key).into_iter().for_each(|member| member.speaks = true);
        }
    }

    fn add_up(&mut self) {
        self.sum.clear();
        self.sum.resize((self.sample_rate / FRAMES_PER_SECOND) as usize, 0);
        self.whispering.clear();
        for (key, member) in &self.members {
            if member.speaks {
                add(&mut self.sum, &member.frame);
            } else if member.is_said && matches!(member.seat.heard, Heard::By(_)) {
                self.whispering.push(*key);
            }
        }
        let sum = &mut self.sum;
        self.chimes_sound = !self.chimes.is_empty();
        self.chimes.retain_mut(|chime| chime.add(sum));
        self.mix.clear();
        self.mix.extend(self.sum.iter().map(|sample| clip(*sample)));
    }

    fn send(&mut self, nominal: Time, legs: &mut Slots<Leg>, out: &mut Outbox) {
        self.frame += 1;
        let mut listeners = std::mem::take(&mut self.listeners);
        listeners.extend(self.members.iter().filter(|(_, member)| member.seat.hears).map(|(key, _)| *key));
        for key in listeners.drain(..) {
            let Some(leg) = legs.get_mut(key) else { continue };
            let Some(format) = leg.format() else { continue };
            match self.heard_by(key) {
                Hearing::Nothing => leg.falls_silent(Talker::Room),
                Hearing::All => leg.say(nominal, Talker::Room, self.write_for_all(format), out),
                Hearing::ItsOwn => leg.say(nominal, Talker::Room, self.write_for(key, format), out),
            }
        }
        self.listeners = listeners;
        let frame = self.frame;
        self.shared.retain(|(_, written)| frame - written < FORMAT_KEPT);
    }

    /// What a listener hears in this frame. Its own mix, if it hears one, is in `own_mix` then.
    fn heard_by(&mut self, key: Key<Leg>) -> Hearing {
        let Some(listener) = self.members.get(&key) else { return Hearing::Nothing };
        let whispered = |whisperer: &&Key<Leg>| {
            let to = self.members.get(*whisperer).map(|member| &member.seat.heard);
            **whisperer != key && matches!(to, Some(Heard::By(legs)) if legs.contains(&listener.leg))
        };
        let is_whispered_to = self.whispering.iter().any(|whisperer| whispered(&whisperer));
        let others_speak = self.loudest.len() > usize::from(listener.speaks) || self.chimes_sound;
        if !listener.speaks && !is_whispered_to {
            return if others_speak { Hearing::All } else { Hearing::Nothing };
        }
        if !others_speak && !is_whispered_to {
            return Hearing::Nothing;
        }
        self.own_sum.clear();
        self.own_sum.extend_from_slice(&self.sum);
        if listener.speaks {
            for (place, sample) in self.own_sum.iter_mut().zip(&listener.frame) {
                *place -= i32::from(*sample);
            }
        }
        for whisperer in self.whispering.iter().filter(whispered).filter_map(|key| self.members.get(key)) {
            add(&mut self.own_sum, &whisperer.frame);
        }
        self.own_mix.clear();
        self.own_mix.extend(self.own_sum.iter().map(|sample| clip(*sample)));
        Hearing::ItsOwn
    }

    fn write_for_all(&mut self, format: Format) -> &[u8] {
        let at = self.shared.iter().position(|(voice, _)| voice.format() == format).unwrap_or_else(|| {
            self.shared.push((Voice::new(format, self.sample_rate), 0));
            self.shared.len() - 1
        });
        let Some((voice, written)) = self.shared.get_mut(at) else { return &[] };
        if std::mem::replace(written, self.frame) == self.frame {
            return voice.written();
        }
        voice.write(&self.mix)
    }

    fn write_for(&mut self, key: Key<Leg>, format: Format) -> &[u8] {
        let Some(member) = self.members.get_mut(&key) else { return &[] };
        if member.voice.as_ref().is_none_or(|voice| voice.format() != format) {
            member.voice = Some(Box::new(Voice::new(format, self.sample_rate)));
        }
        member.voice.as_mut().map_or(&[], |voice| voice.write(&self.own_mix))
    }
}

fn energy(frame: &[i16]) -> u64 {
    frame.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum()
}

fn add(sum: &mut [i32], frame: &[i16]) {
    for (place, sample) in sum.iter_mut().zip(frame) {
        *place += i32::from(*sample);
    }
}

fn clip(sample: i32) -> i16 {
    sample.clamp(-0x8000, 0x7fff) as i16
}
