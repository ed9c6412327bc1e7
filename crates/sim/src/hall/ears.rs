//! That the checker of ears finds what is to be found: an engine that orders what it has not written down, and a party whose
//! place a stranger has taken.

use super::*;
use crate::Faults;
use crate::phones::Format;
use base::Wall;
use facts::{FactKind, LegRole};
use media_api::{Direction, Stream};

const SECRETS: [&str; 3] = ["one", "two", "three"];

struct Scene {
    hall: Hall,
    paths: BTreeMap<usize, Path>,
    rng: Rng,
}

fn phone_at(leg: u64) -> SocketAddr {
    SocketAddr::from(([10, 64, 0, leg as u8], 40_000))
}

fn script() -> ivr::ScriptFiles {
    ivr::ScriptFiles {
        name: "through".to_owned(),
        flow: (
            "flow.toml".to_owned(),
            "title = \"Through\"\nlanguages = [\"it\"]\nstart = \"out\"\n[out]\nhang_up = \"bye\"\n"
                .to_owned(),
        ),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        calendars: Vec::new(),
        parts: Vec::new(),
        look_ups: Vec::new(),
        voices: Default::default(),
        sounds: ivr::SoundInventory::default(),
    }
}

impl Scene {
    /// Three parties at three ports, two of whom talk by the log.
    fn new(depth: Depth) -> Scene {
        let seed = Seed::from_number(3);
        let town = crate::town::Town::for_rate(None);
        let script = Arc::new(ivr::Script::check(&script()).unwrap());
        let config = crate::town::config(town, &mut seed.rng(), &script);
        let hall = Hall::new(depth, seed, Time::from_millis(1000), &config, false);
        let mut scene = Scene { hall, paths: BTreeMap::new(), rng: seed.named("network").rng() };
        scene.fact(FactKind::CallArrived {
            from: String::new(),
            to: "demo".to_owned(),
            service: "helpdesk".to_owned(),
            trunk: String::new(),
            sip_call_id: SECRETS[0].to_owned(),
        });
        (1..=3).for_each(|leg| scene.joins(leg));
        scene.fact(FactKind::CallConnected { a: 1, b: 2 });
        scene.orders(Command::Bridge { a: LegId(1), b: LegId(2) });
        scene
    }

    fn joins(&mut self, leg: u64) {
        let (now, local) = (self.hall.next_tick, phone_at(leg));
        self.orders(Command::Open { leg: LegId(leg), family: Family::V4 });
        let remote = address_of(leg as u32);
        let direction = Direction::SendRecv;
        let stream = Stream { direction, ..Stream::plain(local, Codec::Pcma, 8) };
        self.orders(Command::Configure { leg: LegId(leg), stream });
        let path = Path::new(Faults::NONE, &mut self.rng, now);
        let talk = Talk {
            local,
            remote,
            remote_rtcp: SocketAddr::new(remote.ip(), remote.port() + 1),
            speech: (8, Codec::Pcma),
            keys: None,
            understood: vec![(8, Format::Speech(Codec::Pcma))],
            sends: true,
            hears: true,
            secured: None,
            behind_nat: false,
        };
        let call_id = SECRETS[leg as usize - 1].to_owned();
        self.fact(FactKind::LegCreated {
            leg: leg as u32,
            role: LegRole::External,
            address: String::new(),
            sip_call_id: Some(call_id.clone()),
        });
        self.fact(FactKind::LegConnected { leg: leg as u32, codec: "PCMA".to_owned(), csrc: 0 });
        self.hall.agree(now, (leg as usize, call_id), talk, &path);
        self.paths.insert(leg as usize, path);
    }

    fn fact(&mut self, kind: FactKind) {
        let at = Wall::from_unix_micros(0);
        self.hall.fact(&Fact { number: 1, at, call: Some("c".to_owned()), callseq: 1, body: None, kind });
    }

    fn orders(&mut self, command: Command) {
        let now = self.hall.next_tick;
        self.hall.command(now, command);
    }

    fn lives(&mut self, seconds: u64, mut each: impl FnMut(&mut Hall, u64)) {
        for tick in 0..200 * seconds {
            self.hall.reckon(self.hall.next_tick);
            each(&mut self.hall, tick);
            self.hall.tick(Network { paths: &mut self.paths, rng: &mut self.rng });
        }
    }
}

/// Sends to the first party's port from there, a packet a frame.
fn intrudes(from: SocketAddr) -> impl FnMut(&mut Hall, u64) {
    let mut stranger = None;
    move |hall, tick| {
        let talk = hall.parties.values().find(|party| party.phone == 1).unwrap().talk.clone();
        let stranger = stranger.get_or_insert_with(|| Stranger::new(&mut hall.rng, Some(from), true));
        if tick >= 600 && tick.is_multiple_of(TICKS_PER_FRAME) {
            let packet = stranger.speak(true, &talk, &mut hall.voices);
            packet.into_iter().for_each(|packet| hall.wheel.insert(hall.next_tick, packet));
        }
    }
}

#[test]
fn who_talks_by_the_log_and_by_order_is_heard_and_nobody_complains() {
    for depth in [Depth::Packets, Depth::Audio] {
        let mut scene = Scene::new(depth);
        scene.lives(10, |_, _| {});
        assert!(scene.hall.figures().heard > 600, "{depth}: {}", scene.hall.figures().heard);
        assert_eq!(scene.hall.complaints, Vec::<String>::new(), "{depth}");
    }
}

#[test]
fn an_order_that_the_log_knows_nothing_of_is_heard() {
    for depth in [Depth::Packets, Depth::Audio] {
        let mut scene = Scene::new(depth);
        scene.lives(4, |_, _| {});
        scene.orders(Command::Listen { leg: LegId(3), to: LegId(1) });
        scene.lives(4, |_, _| {});
        let told = &scene.hall.complaints;
        assert!(told.iter().any(|told| told.contains("port 3 hears Party(1)")), "{depth}: {told:?}");
    }
}

#[test]
fn a_conversation_that_is_in_the_log_alone_is_missed() {
    for depth in [Depth::Packets, Depth::Audio] {
        let mut scene = Scene::new(depth);
        scene.orders(Command::Unbridge { leg: LegId(1) });
        scene.lives(12, |_, _| {});
        scene.fact(FactKind::CallEnded {
            end: facts::End::new(facts::Side::Caller, facts::Cause::HungUp),
            data: facts::CallData::default(),
        });
        scene.lives(1, |_, _| {});
        let told = &scene.hall.complaints;
        assert!(
            told.iter().any(|told| told.contains("port 2 heard 0 packets of port 1")),
            "{depth}: {told:?}"
        );
    }
}

#[test]
fn a_stranger_is_not_heard_and_would_be_found_in_the_place_of_a_party() {
    for depth in [Depth::Packets, Depth::Audio] {
        for (from, is_heard) in
            [(SocketAddr::from(([198, 51, 100, 66], 4000)), false), (phone_at(3), false), (phone_at(1), true)]
        {
            let mut scene = Scene::new(depth);
            scene.lives(6, intrudes(from));
            let told = &scene.hall.complaints;
            let found = told.iter().any(|told| told.contains("hears Party(0)"));
            assert_eq!(found, is_heard, "{depth} from {from}: {told:?}");
        }
    }
}
