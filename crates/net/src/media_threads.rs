//! The media shards, each on its own operating system thread. Call control sends commands down and never
//! waits longer than a shard takes for one tick; events come up.

mod counting;
mod events;
mod grid;
mod moving;
mod shaking;
mod shard_thread;
mod tap;
mod whereabouts;

pub use counting::{MediaCounter, MediaCounts};
pub use tap::{Tap, TappedPacket};

use crate::handshakes::{self, Asking};
use crate::{Clock, MediaCertificate, PortPairs, Recordings, SoundStore};
use base::Seed;
use counting::Counters;
use crossbeam_channel::Sender;
use events::Events;
use media_api::{Addresses, Command, Event, Family, LegId};
use moving::Alive;
use shaking::Shaking;
use shard_thread::{Queues, ShardThread, ToShard};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::JoinHandle;
use whereabouts::Whereabouts;

/// Commands that may wait for one shard. When they are that many the sender waits for the shard's next tick:
/// a shard itself waits for nobody.
const COMMANDS: usize = 16_384;

/// How media is to be run.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Shards, each a thread. A leg moves to the shard of whom it is bridged to.
    pub threads: usize,
    /// Where RTP and RTCP ports are taken from.
    pub ports: RangeInclusive<u16>,
    /// The addresses to bind, one at least: a leg has its ports at one of them.
    pub addresses: Addresses,
    /// Legs that are opened in one shard at a time.
    pub legs: usize,
    /// Prompts and music.
    pub sounds: SoundStore,
    /// Chance for ports, SSRCs and the like.
    pub seed: Seed,
    /// The clock of the process.
    pub clock: Clock,
    /// Who gets copies of captured packets.
    pub tap: Tap,
    /// Who gets what tapped legs say and are told.
    pub recordings: Recordings,
    /// What proves us to browsers.
    pub certificate: MediaCertificate,
}

/// The running shards. Dropping them ends the threads.
#[derive(Debug)]
pub struct MediaThreads {
    shards: Vec<Running>,
    whereabouts: Whereabouts,
    ports: BTreeMap<Family, PortPairs>,
    legs: usize,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Running {
    commands: Sender<ToShard>,
    alive: Alive,
    legs: usize,
    thread: Option<JoinHandle<()>>,
}

impl MediaThreads {
    /// Raises the limit of open files and starts the threads. `events` takes what media tells, or gives it
    /// back if it cannot take more now: it is offered again. Called on the shards' threads; must not wait.
    ///
    /// # Errors
    /// There is no address, or the unspecified one would be told to peers; or the system gives no thread or no epoll; or
    /// DTLS does not work on this machine.
    pub fn start(
        config: MediaConfig,
        events: impl Fn(Event) -> Option<Event> + Send + Sync + 'static,
    ) -> io::Result<MediaThreads> {
        check_addresses(&config.addresses)?;
        crate::allow_many_open_files();
        let sink: events::Sink = Arc::new(events);
        let counters = Arc::new(Counters::default());
        let threads = config.threads.max(1);
        let asking = handshakes::start(&config.certificate, config.legs.saturating_mul(threads))?;
        let shards = (0..threads)
            .map(|number| {
                start_shard(number, &config, asking.clone(), Events::new(sink.clone()), counters.clone())
            })
            .collect::<io::Result<Vec<Running>>>()?;
        let seed = config.seed.named("media.ports");
        let at = |address| (Family::of(address), PortPairs::new(address, config.ports.clone(), seed));
        let ports = config.addresses.iter().map(at).collect();
        Ok(MediaThreads { shards, whereabouts: Whereabouts::default(), ports, legs: config.legs, counters })
    }

    /// Binds ports for `leg` at the address of this family, or else at the one that there is, in the shard of the leg `with`, which it may later be bridged to, or else in the
    /// shard that has the fewest legs. Answers at once with `Opened` or `OpenFailed`.
    pub fn open(&mut self, leg: LegId, family: Family, with: Option<LegId>) -> Event {
        match self.try_open(leg, family, with) {
            Ok(local) => Event::Opened { leg, local },
            Err(why) => Event::OpenFailed { leg, why },
        }
    }

    /// Does `command`. What can be answered at once is answered by the returned event: `Open`, and `Announce` into a room where
    /// nobody is; all else by events to the sink, later.
    pub fn command(&mut self, command: Command) -> Option<Event> {
        if let Command::Open { leg, family } = &command {
            return Some(self.open(*leg, *family, None));
        }
        let Some(leg) = self.whose(&command) else { return not_announced(&command) };
        let before = self.whereabouts.shard_of(leg)?;
        if let Some((leg, to)) = self.whereabouts.follow(&command) {
            self.move_leg(leg, to);
        }
        let at = self.whereabouts.shard_of(leg).unwrap_or(before);
        let running = self.shards.get_mut(at)?;
        if let Command::Close { .. } = command {
            running.legs -= 1;
        }
        // An error means that the shard's thread is gone, which its own panic has told.
        let _ = running.commands.send(ToShard::Command(command));
        None
    }

    /// The legs that are open.
    pub fn legs(&self) -> usize {
        self.whereabouts.len()
    }

    /// Reads how often things happened.
    pub fn counter(&self) -> MediaCounter {
        MediaCounter(self.counters.clone())
    }

    fn try_open(&mut self, leg: LegId, family: Family, with: Option<LegId>) -> Result<SocketAddr, String> {
        if self.whereabouts.shard_of(leg).is_some() {
            return Err(format!("leg {} is open already", leg.0));
        }
        let beside = with.and_then(|with| self.whereabouts.shard_of(with));
        let at = beside.unwrap_or_else(|| self.emptiest());
        let limit = self.legs;
        let running = self.shards.get_mut(at).ok_or("no media thread runs")?;
        if running.legs >= limit {
            return Err(format!("media is full: {limit} legs in one shard"));
        }
        let own = if self.ports.contains_key(&family) {
            self.ports.get_mut(&family)
        } else {
            self.ports.values_mut().next()
        };
        let pair = own.ok_or("media has no address")?.bind().map_err(|error| {
            format!("no media ports: {error}; widen the port range or look who holds its ports")
        })?;
        let local = pair.local;
        running
            .commands
            .send(ToShard::Opened { leg, local, pair })
            .map_err(|_| "the media thread has ended")?;
        running.legs += 1;
        self.whereabouts.is_in(leg, at);
        Ok(local)
    }

    fn emptiest(&self) -> usize {
        let legs = self.shards.iter().map(|running| running.legs).enumerate();
        legs.min_by_key(|(_, legs)| *legs).map_or(0, |(at, _)| at)
    }

    /// The leg in whose shard a command is done.
    fn whose(&self, command: &Command) -> Option<LegId> {
        match command {
            Command::Open { .. } => None,
            Command::Announce { room, .. } => self.whereabouts.member_of(*room),
            _ => command.leg(),
        }
    }

    /// The leg goes on in another shard. It may be one more there than are opened in one.
    fn move_leg(&mut self, leg: LegId, to: usize) {
        let from = self.whereabouts.shard_of(leg);
        let Some(running) = from.and_then(|from| self.shards.get_mut(from)) else { return };
        let (way, coming) = moving::way(&running.alive);
        running.legs -= 1;
        let is_sent = running.commands.send(ToShard::Release { leg, way }).is_ok();
        if let Some(running) = self.shards.get_mut(to).filter(|_| is_sent) {
            running.legs += 1;
            let _ = running.commands.send(ToShard::Await { leg, coming });
        }
        self.whereabouts.is_in(leg, to);
    }
}

impl Drop for MediaThreads {
    fn drop(&mut self) {
        for running in &self.shards {
            let _ = running.commands.send(ToShard::Stop);
        }
        for running in &mut self.shards {
            let _ = running.thread.take().map(JoinHandle::join);
        }
    }
}

/// The room of an announcement has no shard, for nobody is in it.
fn not_announced(command: &Command) -> Option<Event> {
    let Command::Announce { room, play, .. } = command else { return None };
    Some(Event::Announced { room: *room, play: *play, complete: false })
}

fn check_addresses(addresses: &Addresses) -> io::Result<()> {
    let why = match addresses.iter().find(|address| address.is_unspecified()) {
        Some(address) => {
            format!("media cannot be offered at {address}; give the address that peers can reach")
        }
        None if addresses.iter().next().is_none() => "media has no address; give one at least".to_owned(),
        None => return Ok(()),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

fn start_shard(
    number: usize,
    config: &MediaConfig,
    asking: Asking,
    events: Events,
    counters: Arc<Counters>,
) -> io::Result<Running> {
    let (commands, inbox) = crossbeam_channel::bounded(COMMANDS);
    let shaking = Shaking::new(asking, &commands);
    let (life, alive) = moving::life();
    let queues = Queues { inbox, own_inbox: commands.clone(), life };
    let shard = ShardThread::new(number, config, queues, shaking, events, counters)?;
    let thread = std::thread::Builder::new().name(format!("media-{number}")).spawn(move || shard.run())?;
    Ok(Running { commands, alive, legs: 0, thread: Some(thread) })
}
