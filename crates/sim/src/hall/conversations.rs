//! Who may hear whom, by what the log says of calls, and by nothing that call control has told media: an engine that
//! orders something else than it writes down is found by the ears.

use super::voices::{Source, every_sound, music, please_wait};
use engine::{Config, Service};
use facts::{Fact, FactKind, LegRole, SupervisionMode};
use std::collections::{BTreeMap, BTreeSet};

/// Of more than these in a room each is too faint a part to be counted on.
const CLEAR_MAX: usize = 5;

/// What may be heard at a port, and whether it must come through.
pub(crate) type Ears = BTreeMap<Source, bool>;

#[derive(Default)]
pub(crate) struct Conversations {
    services: BTreeMap<String, Place>,
    /// Trunks whose networks may ask that a party is spoken to before it answers (RFC 5009).
    spoken_to_early: BTreeSet<String>,
    calls: BTreeMap<String, Conversation>,
    /// Where each dialog's party talks to, by Call-ID.
    ports: BTreeMap<String, u32>,
}

struct Conversation {
    legs: BTreeMap<u32, Leg>,
    /// The leg of the party that it is about.
    caller: u32,
    place: Place,
    talk: Option<(u32, u32)>,
    /// Who is heard before it answers.
    early: Option<u32>,
    /// Pages that are waited for.
    lost: BTreeSet<u32>,
    /// The new legs of such pages, until they can be heard.
    unkeyed: BTreeSet<u32>,
    /// Its script's; empty before there is one.
    language: String,
    /// An interpreter is sought before its two are put together.
    parted: bool,
    /// More than two were in it, or one was muted: what is said may have gone through a mixer.
    mixed: bool,
}

/// What a caller without anybody is with.
#[derive(Clone, Debug, Default, PartialEq)]
enum Place {
    /// Prompts, music, or nothing.
    #[default]
    Sounds,
    Echo,
    Room(String),
}

#[derive(Default)]
struct Leg {
    call_id: Option<String>,
    is_agent: bool,
    spoken_to_early: bool,
    connected: bool,
    held: bool,
    muted: bool,
    is_browser: bool,
    silent: bool,
    guest: Option<Guest>,
}

#[derive(Clone, Copy, PartialEq)]
enum Guest {
    Party,
    Supervisor(SupervisionMode),
}

impl Leg {
    /// It holds, or is a page that is not heard: the other of two is played music.
    fn is_away(&self) -> bool {
        self.held || (self.is_browser && self.silent)
    }
}

impl Conversations {
    pub(crate) fn new(config: &Config) -> Conversations {
        let place = |service: &Service| match service {
            Service::Room { name, .. } => Place::Room(name.clone()),
            Service::Echo => Place::Echo,
            _ => Place::Sounds,
        };
        let trunks = config.sip.trunks.iter().filter(|trunk| trunk.p_early_media);
        Conversations {
            services: config
                .services
                .iter()
                .map(|(number, service)| (number.clone(), place(service)))
                .collect(),
            spoken_to_early: trunks.map(|trunk| trunk.name.clone()).collect(),
            ..Conversations::default()
        }
    }

    /// The process ended, and its conversations with it.
    pub(crate) fn end_all(&mut self) {
        self.calls.clear();
        self.ports.clear();
    }

    /// A party has agreed to talk to this port.
    pub(crate) fn agreed(&mut self, call_id: &str, port: u32) {
        self.ports.insert(call_id.to_owned(), port);
    }

    /// The next fact.
    pub(crate) fn apply(&mut self, fact: &Fact) {
        let Some(id) = &fact.call else { return };
        match &fact.kind {
            FactKind::CallArrived { to, .. } => {
                let place = self.services.get(to).cloned().unwrap_or_default();
                self.calls.insert(id.clone(), Conversation::new(place));
            }
            FactKind::CallEnded { .. } => drop(self.calls.remove(id)),
            FactKind::TransferCompleted { to } => {
                if let (Some(call), Some(place)) = (self.calls.get_mut(id), self.services.get(to)) {
                    call.place = place.clone();
                }
            }
            FactKind::LegRouted { leg, trunk, .. } => {
                let spoken_to = self.spoken_to_early.contains(trunk);
                self.with_leg(id, *leg, |leg| leg.spoken_to_early = spoken_to);
            }
            kind => {
                if let Some(call) = self.calls.get_mut(id) {
                    call.apply(kind);
                }
            }
        }
    }

    fn with_leg(&mut self, id: &str, leg: u32, act: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.calls.get_mut(id).and_then(|call| call.legs.get_mut(&leg)) {
            act(leg);
        }
    }

    /// What may be heard at each port now. `counted` says that what has gone through a mixer cannot be counted on.
    pub(crate) fn ears(&self, counted: bool) -> BTreeMap<u32, Ears> {
        let mut ears = BTreeMap::new();
        for call in self.calls.values() {
            for (number, leg) in call.legs.iter().filter(|(_, leg)| !leg.held) {
                let Some(port) = self.port(leg) else { continue };
                let heard = match &call.place {
                    Place::Room(room) if call.talk.is_none() && *number == call.caller => {
                        self.room_mates(room, port, counted)
                    }
                    _ => call.hears(*number, counted, &|leg| self.port(leg)),
                };
                ears.insert(port, heard);
            }
        }
        ears
    }

    /// The ports of which what is heard may have gone through a mixer.
    pub(crate) fn mixed(&self) -> BTreeSet<u32> {
        let calls = self.calls.values().filter(|call| call.mixed || matches!(call.place, Place::Room(_)));
        calls.flat_map(|call| call.legs.values()).filter_map(|leg| self.port(leg)).collect()
    }

    fn port(&self, leg: &Leg) -> Option<u32> {
        self.ports.get(leg.call_id.as_ref()?).copied()
    }

    fn room_mates(&self, room: &str, port: u32, counted: bool) -> Ears {
        let there = self
            .calls
            .values()
            .filter(|call| call.talk.is_none() && matches!(&call.place, Place::Room(its) if its == room));
        let speakers: Vec<u32> = there
            .filter_map(|call| call.legs.get(&call.caller))
            .filter(|leg| leg.connected && !leg.held)
            .filter_map(|leg| self.port(leg))
            .filter(|speaker| *speaker != port)
            .collect();
        let must = !counted && speakers.len() <= CLEAR_MAX;
        let mut ears: Ears = speakers.into_iter().map(|speaker| (Source::Party(speaker), must)).collect();
        ears.extend(every_sound().map(|sound| (sound, false)));
        ears
    }
}

impl Conversation {
    fn new(place: Place) -> Conversation {
        let legs = BTreeMap::new();
        Conversation {
            legs,
            caller: 1,
            place,
            talk: None,
            early: None,
            lost: BTreeSet::new(),
            unkeyed: BTreeSet::new(),
            language: String::new(),
            parted: false,
            mixed: false,
        }
    }

    fn apply(&mut self, kind: &FactKind) {
        match kind {
            FactKind::LegCreated { leg, role, sip_call_id, .. } => {
                let is_agent = *role == LegRole::Agent;
                self.legs.insert(*leg, Leg { call_id: sip_call_id.clone(), is_agent, ..Leg::default() });
            }
            FactKind::LegEnded { leg, .. } => self.leg_ended(*leg),
            FactKind::LegConnected { leg, .. } => self.with(*leg, |leg| leg.connected = true),
            FactKind::LegHeld { leg } => self.with(*leg, |leg| leg.held = true),
            FactKind::LegResumed { leg } => self.with(*leg, |leg| leg.held = false),
            FactKind::MediaSecured { leg, keys } if keys.exchange == "dtls" => {
                self.with(*leg, |leg| leg.is_browser = true);
            }
            FactKind::MediaSilent { leg, .. } => self.with(*leg, |leg| leg.silent = true),
            FactKind::MediaRestored { leg, .. } => self.with(*leg, |leg| leg.silent = false),
            FactKind::LegEarlyMedia { leg } => self.early = Some(*leg),
            FactKind::LegLost { leg, .. } => drop(self.lost.insert(*leg)),
            FactKind::LegTakenBack { leg, was, .. } => self.is_taken_back(*leg, *was),
            FactKind::IvrEntered { language, .. } => self.language.clone_from(language),
            FactKind::CallConnected { a, b } => {
                (self.talk, self.caller) = (Some((*a, *b)), *a);
                (self.early, self.place) = (None, Place::Sounds);
                self.unkeyed.clear();
                self.parted = false;
            }
            FactKind::TransferStarted { by: Some(by), .. } => self.is_handed_on(*by),
            FactKind::InterpreterWanted(wish) => self.parted = wish.parted,
            FactKind::InterpreterMissed(_) => self.parted = false,
            _ => self.apply_to_guests(kind),
        }
    }

    fn apply_to_guests(&mut self, kind: &FactKind) {
        let (leg, guest) = match kind {
            FactKind::ConferenceJoined { leg, .. } => (*leg, Some(Guest::Party)),
            FactKind::SupervisionStarted { leg, mode, .. }
            | FactKind::SupervisionModeChanged { leg, mode, .. } => (*leg, Some(Guest::Supervisor(*mode))),
            FactKind::ConferenceLeft { leg } | FactKind::SupervisionEnded { leg, .. } => (*leg, None),
            FactKind::ConferenceMuted { leg, muted, .. } => {
                self.mixed = true;
                return self.with(*leg, |leg| leg.muted = *muted);
            }
            _ => return,
        };
        self.mixed = true;
        self.with(leg, |leg| (leg.guest, leg.muted) = (guest, leg.muted && guest.is_some()));
    }

    fn with(&mut self, leg: u32, act: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            act(leg);
        }
    }

    /// A page is there again, perhaps by another leg. A guest's comes and goes by facts of its own.
    fn is_taken_back(&mut self, leg: u32, was: u32) {
        self.lost.remove(&was);
        let Some((a, b)) = self.talk.filter(|(a, b)| leg != was && (*a == was || *b == was)) else { return };
        self.talk = Some(if a == was { (leg, b) } else { (a, leg) });
        if self.caller == was {
            self.caller = leg;
        }
        self.unkeyed.insert(leg);
    }

    fn leg_ended(&mut self, leg: u32) {
        self.legs.remove(&leg);
        self.lost.remove(&leg);
        self.unkeyed.remove(&leg);
        self.talk.take_if(|(a, b)| *a == leg || *b == leg);
        self.early.take_if(|early| *early == leg);
    }

    fn is_handed_on(&mut self, by: u32) {
        if let Some((a, b)) = self.talk.take_if(|(a, b)| *a == by || *b == by) {
            self.caller = if a == by { b } else { a };
        }
    }

    fn hears(&self, number: u32, counted: bool, port: &dyn Fn(&Leg) -> Option<u32>) -> Ears {
        let must = !(counted && self.mixed);
        let parties = |numbers: Vec<u32>, must: bool| -> Ears {
            let legs = numbers.into_iter().filter_map(|number| port(self.legs.get(&number)?));
            legs.map(|port| (Source::Party(port), must)).collect()
        };
        let guest = self.legs.get(&number).and_then(|leg| leg.guest);
        if let Some((a, b)) = self.talk.filter(|(a, b)| *a == number || *b == number || guest.is_some()) {
            let comforted = [(a, b), (b, a)].into_iter().find_map(|(one, other)| self.comforted(one, other));
            if self.unkeyed.contains(&number) {
                return Ears::new();
            }
            if let Some((left, sounds)) = &comforted
                && *left == number
            {
                return sounds.iter().map(|sound| (*sound, false)).collect();
            }
            let mut ears = parties(self.speakers(number, (a, b)), must);
            // Nothing comes from a page that is gone, and words only until the music begins from whoever is left alone: it is a
            // moment on its way. (Packets, seed 40, 166.0 s: a supervisor heard one frame of an agent whose caller had gone away.)
            let is_left = |other: u32| comforted.as_ref().is_some_and(|(left, _)| *left == other);
            let quiet = self.legs.iter().filter(|(other, _)| self.is_gone(**other) || is_left(**other));
            for port in quiet.filter_map(|(_, leg)| port(leg)) {
                ears.entry(Source::Party(port)).and_modify(|must| *must = false);
            }
            return ears;
        }
        if guest.is_some() {
            let others = self.guests().filter(|(other, _)| **other != number);
            let heard = others.filter(|(_, leg)| !leg.muted && !leg.held).map(|(other, _)| *other);
            return parties(heard.collect(), false);
        }
        let mut ears = Ears::new();
        if let Some(early) = self.early {
            let speaks = match number == self.caller {
                true => Some(early),
                false => {
                    Some(self.caller).filter(|_| self.legs.get(&early).is_some_and(|leg| leg.spoken_to_early))
                }
            };
            ears.extend(parties(speaks.into_iter().collect(), false));
        }
        if self.place == Place::Echo && number == self.caller {
            ears.extend(parties(vec![number], must));
        }
        if number == self.caller || self.parted {
            ears.extend(every_sound().map(|sound| (sound, false)));
        }
        ears
    }

    fn guests(&self) -> impl Iterator<Item = (&u32, &Leg)> {
        self.legs.iter().filter(|(_, leg)| leg.guest.is_some())
    }

    fn is_conference(&self) -> bool {
        self.guests().next().is_some() || self.legs.values().any(|leg| leg.muted)
    }

    /// A page is waited for that was this leg's, or is to be.
    fn is_waited_for(&self, number: u32) -> bool {
        self.lost.contains(&number) || self.unkeyed.contains(&number)
    }

    /// A page of which nothing comes.
    fn is_gone(&self, number: u32) -> bool {
        let is_silent = |leg: &Leg| leg.is_browser && leg.silent;
        self.is_waited_for(number) || self.legs.get(&number).is_some_and(is_silent)
    }

    fn is_away(&self, number: u32) -> bool {
        self.is_waited_for(number) || self.legs.get(&number).is_some_and(Leg::is_away)
    }

    /// Whether one of the two, who would be alone without the other, is played something, and what: not beside a third
    /// party who is there to talk with.
    fn comforted(&self, one: u32, other: u32) -> Option<(u32, Vec<Source>)> {
        let waits = [one, other].map(|number| self.is_waited_for(number));
        let away = [one, other].map(|number| self.is_away(number));
        // Without a mixer whoever is not waited for is told to wait, whether it is heard or not.
        let apart = if !self.is_conference() && waits != [false; 2] { waits } else { away };
        let mut parties = self.guests().filter(|(_, leg)| leg.guest == Some(Guest::Party));
        let accompanied = parties.any(|(number, _)| !self.is_away(*number));
        let sounds = if waits[1] { please_wait(&self.language) } else { Vec::new() };
        (apart == [false, true] && !accompanied).then(|| (one, sounds.into_iter().chain([music()]).collect()))
    }

    /// Who may be heard by this one of a conversation.
    fn speakers(&self, hearer: u32, (a, b): (u32, u32)) -> Vec<u32> {
        if !self.is_conference() {
            let apart = self.is_away(a) || self.is_away(b);
            let other = if hearer == a { b } else { a };
            return if apart { Vec::new() } else { vec![other] };
        }
        let is_agent = |number: u32| self.legs.get(&number).is_some_and(|leg| leg.is_agent);
        let agent = if is_agent(b) { b } else { a };
        let is_heard = |number: &u32, leg: &Leg| match leg.guest {
            _ if leg.held || leg.muted || self.unkeyed.contains(number) => false,
            None => *number == a || *number == b,
            Some(Guest::Party | Guest::Supervisor(SupervisionMode::Barge)) => true,
            Some(Guest::Supervisor(SupervisionMode::Listen)) => false,
            Some(Guest::Supervisor(SupervisionMode::Whisper)) => hearer == agent,
        };
        let others = self.legs.iter().filter(|(number, _)| **number != hearer);
        others.filter(|(number, leg)| is_heard(number, leg)).map(|(number, _)| *number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use facts::{KeyFacts, SilenceEvidence};

    /// A caller (port 1) talks with an agent (port 2), whose device is a page, in French.
    fn talking() -> Conversations {
        let mut told = Conversations::default();
        told.tell(FactKind::CallArrived {
            from: String::new(),
            to: String::new(),
            service: String::new(),
            trunk: String::new(),
            sip_call_id: String::new(),
        });
        let (script, node) = (String::new(), String::new());
        told.tell(FactKind::IvrEntered { script, node, language: "fr".to_owned() });
        told.comes(1, LegRole::Caller);
        told.comes(2, LegRole::Agent);
        told.tell(FactKind::CallConnected { a: 1, b: 2 });
        told
    }

    impl Conversations {
        fn tell(&mut self, kind: FactKind) {
            let (number, at, call) = (0, base::Wall::default(), Some("call".to_owned()));
            self.apply(&Fact { number, at, call, callseq: 0, body: None, kind });
        }

        /// A page with its keys, at the port of its leg's number.
        fn comes(&mut self, leg: u32, role: LegRole) {
            let (address, call_id) = (String::new(), leg.to_string());
            self.tell(FactKind::LegCreated { leg, role, address, sip_call_id: Some(call_id.clone()) });
            self.tell(FactKind::LegConnected { leg, codec: String::new(), csrc: leg });
            let exchange = "dtls".to_owned();
            let keys = KeyFacts { suite: String::new(), exchange, offered_by: String::new() };
            self.tell(FactKind::MediaSecured { leg, keys });
            self.agreed(&call_id, leg);
        }

        fn joins(&mut self, leg: u32) {
            self.comes(leg, LegRole::External);
            self.tell(FactKind::ConferenceJoined { leg, role: LegRole::External, by: String::new() });
        }

        fn is_lost(&mut self, leg: u32) {
            self.tell(FactKind::LegLost { leg, waits_ms: 15_000 });
        }

        fn is_back(&mut self, leg: u32, was: u32) {
            self.tell(FactKind::LegTakenBack { leg, was, after_ms: 1 });
        }

        /// What may be heard at this port, and with `true` must be.
        fn at(&self, port: u32) -> Vec<(Source, bool)> {
            self.ears(false).remove(&port).unwrap_or_default().into_iter().collect()
        }
    }

    fn party(port: u32) -> (Source, bool) {
        (Source::Party(port), true)
    }

    fn told_to_wait() -> Vec<(Source, bool)> {
        let sounds: BTreeSet<Source> = please_wait("fr").into_iter().chain([music()]).collect();
        assert!(sounds.len() < every_sound().count(), "prompts of other kinds are not among them");
        sounds.into_iter().map(|sound| (sound, false)).collect()
    }

    #[test]
    fn whoever_waits_for_a_page_hears_that_it_should_and_music_and_nothing_else() {
        let mut told = talking();
        assert_eq!((told.at(1), told.at(2)), (vec![party(2)], vec![party(1)]));
        told.is_lost(2);
        assert_eq!((told.at(1), told.at(2)), (told_to_wait(), vec![]));
        told.is_back(2, 2);
        assert_eq!((told.at(1), told.at(2)), (vec![party(2)], vec![party(1)]));
        told.tell(FactKind::LegHeld { leg: 2 });
        assert_eq!(told.at(1), [(music(), false)], "nobody asks to wait for who holds");
    }

    #[test]
    fn pages_that_are_lost_at_once_are_waited_for_one_by_one() {
        let mut told = talking();
        told.is_lost(1);
        told.is_lost(2);
        assert_eq!((told.at(1), told.at(2)), (vec![], vec![]));
        told.is_back(1, 1);
        assert_eq!((told.at(1), told.at(2)), (told_to_wait(), vec![]), "the other one is still away");
        told.is_back(2, 2);
        assert_eq!((told.at(1), told.at(2)), (vec![party(2)], vec![party(1)]));
    }

    #[test]
    fn a_page_that_was_loaded_anew_is_heard_when_it_has_its_keys() {
        let mut told = talking();
        told.is_lost(2);
        told.comes(3, LegRole::Agent);
        told.is_back(3, 2);
        assert_eq!((told.at(1), told.at(2), told.at(3)), (told_to_wait(), vec![], vec![]));
        told.tell(FactKind::CallConnected { a: 1, b: 3 });
        assert_eq!((told.at(1), told.at(3)), (vec![party(3)], vec![party(1)]));
    }

    #[test]
    fn a_guests_page_that_was_loaded_anew_leaves_the_others_together() {
        let mut told = talking();
        told.joins(3);
        told.is_lost(3);
        assert_eq!(told.at(1), [party(2), (Source::Party(3), false)], "it need not be heard");
        told.comes(4, LegRole::External);
        told.is_back(4, 3);
        assert_eq!(told.at(1)[0], party(2), "the two talk on");
        told.joins(4);
        told.tell(FactKind::ConferenceLeft { leg: 3 });
        assert_eq!((told.at(1), told.at(4)), (vec![party(2), party(4)], vec![party(1), party(2)]));
    }

    #[test]
    fn one_of_two_whose_page_is_loaded_anew_leaves_a_third_party_in_the_talk() {
        let mut told = talking();
        told.joins(3);
        told.is_lost(2);
        assert_eq!(told.at(1), [(Source::Party(2), false), party(3)]);
        told.comes(4, LegRole::Agent);
        told.is_back(4, 2);
        assert_eq!((told.at(1), told.at(3), told.at(4)), (vec![party(3)], vec![party(1)], vec![]));
        told.tell(FactKind::CallConnected { a: 1, b: 4 });
        assert_eq!(told.at(1), [party(3), party(4)]);
    }

    #[test]
    fn a_third_party_who_is_away_is_no_company() {
        let away: [fn(u32) -> FactKind; 3] = [
            |leg| FactKind::LegHeld { leg },
            |leg| FactKind::LegLost { leg, waits_ms: 15_000 },
            |leg| FactKind::MediaSilent {
                leg,
                evidence: SilenceEvidence {
                    expected: String::new(),
                    last_source: None,
                    silent_ms: 1,
                    received: 1,
                    rejected: 0,
                    rtcp_alive: false,
                },
            },
        ];
        for guest_goes in away {
            let mut told = talking();
            told.joins(3);
            told.tell(FactKind::LegHeld { leg: 2 });
            assert_eq!(told.at(1), [party(3)], "a third party is there to talk with");
            told.tell(guest_goes(3));
            assert_eq!(told.at(1), [(music(), false)], "{:?}", guest_goes(3));
            told.tell(FactKind::LegResumed { leg: 2 });
            told.is_lost(2);
            assert_eq!(told.at(1), told_to_wait(), "{:?}", guest_goes(3));
        }
    }
}
