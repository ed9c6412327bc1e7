//! Who may cost us anything: asked of every message before it is read. Peers that proved themselves, and networks
//! that the configuration names, have a budget of their own; strangers share one, hear a challenge or nothing,
//! and are kept out for a time if they guess, scan or flood.

mod bans;
mod config;
mod door;
mod guesses;
mod rate;
mod scanners;
mod sources;

pub use bans::{BANS_MAX, Ban, Evidence};
pub use config::GuardConfig;
pub use door::{Change, Door, Standing, Whom};
pub use rate::Rate;
pub use sources::{NetSet, prefix_of, source_of};

use crate::ua::Flow;
use bans::Bans;
use base::Time;
use guesses::Guesses;
use ipnet::IpNet;
use rate::Bucket;
use sources::Sources;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// Known addresses at a time. One more takes the place of the one that would have been forgotten first.
pub const KNOWN_MAX: usize = 16_384;
/// How long somebody is known who proved themselves, or whom we called.
const ACQUAINTED: Duration = Duration::from_secs(4 * 3600);
/// A prolongation of less than this is not worth the work.
const WORTH_PROLONGING: Duration = Duration::from_secs(60);
/// Sources with a budget of their own in a table, twice at most.
const SOURCES: usize = 32_768;
/// Sources with a record of offences in a table, twice at most. Only what passed the budgets gets into it.
const RECORDS: usize = 4096;
/// Letters kept of what a stranger wrote.
const EVIDENCE_LETTERS: usize = 64;
/// What is kept of a request to know it again. One that says more is another each time.
const UNANSWERED_LETTERS: usize = 200;

/// The guard.
#[derive(Debug)]
pub struct Guard {
    config: GuardConfig,
    door: Door,
    /// Known addresses, and until when.
    known: BTreeMap<IpAddr, Time>,
    known_ends: BTreeSet<(Time, IpAddr)>,
    peers: Sources<Bucket>,
    strangers: Bucket,
    prefixes: Sources<Bucket>,
    sources: Sources<Bucket>,
    records: Sources<Record>,
    guesses: Guesses,
    bans: Bans,
    ban_pace: Bucket,
    out: VecDeque<Notice>,
}

/// What a guard tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// For the sockets.
    Door(Change),
    /// A rule banned somebody.
    Banned(Box<Ban>),
    /// A ban is over: its time has come, another took its place, or it stood on what may be forged, and who is there
    /// proved to be one of us.
    Unbanned {
        /// Whose.
        source: IpNet,
        /// `expired`, `evicted` or `proved`.
        why: &'static str,
    },
}

/// A message is not to be read, for this rule: `banned`, `peer_rate`, `source_rate`, `prefix_rate`,
/// `strangers_rate`, `too_large` or `scanner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped(pub &'static str);

/// What is to be done with somebody's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// It counts for what it is.
    Take,
    /// Challenge again, as if it were wrong.
    Challenge,
    /// Challenge again because of the nonce, right or wrong (RFC 7616 §3.3).
    Renew,
    /// Say nothing.
    Silence,
}

/// Credentials that came, and what became of them.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Who is claimed to send.
    pub user: &'a str,
    /// Of the request.
    pub method: &'a str,
    /// The proof is right.
    pub right: bool,
    /// Its nonce can be used now.
    pub fresh: bool,
    /// The nonce was given to this very address: its source is not forged.
    pub returned: bool,
    /// A device of this account is registered by the very flow that the proof came by: nobody else can send by it.
    pub there: bool,
}

/// What a source did.
#[derive(Debug, Default)]
struct Record {
    guesses: Bucket,
    guess_pace: Bucket,
    challenges: Bucket,
    malformed: Bucket,
    flood: Bucket,
    parole: Bucket,
    messages: u64,
    /// The last request that it heard nothing of.
    unanswered: Box<str>,
}

/// What a source did just now, and how it is told to people.
struct Offence<'a> {
    rule: &'static str,
    /// The source cannot be forged.
    proven: bool,
    method: &'a str,
    user: &'a str,
    detail: &'a str,
}

impl Guard {
    /// A guard that knows nobody yet but `nets`: those of trunks and of whoever needs no password.
    pub fn new(config: GuardConfig, nets: Vec<IpNet>, accounts: impl IntoIterator<Item = String>) -> Guard {
        let mut guard = Guard {
            config: GuardConfig::default(),
            door: Door::default(),
            known: BTreeMap::new(),
            known_ends: BTreeSet::new(),
            peers: Sources::new(SOURCES),
            strangers: Bucket::default(),
            prefixes: Sources::new(SOURCES),
            sources: Sources::new(SOURCES),
            records: Sources::new(RECORDS),
            guesses: Guesses::new(),
            bans: Bans::default(),
            ban_pace: Bucket::default(),
            out: VecDeque::new(),
        };
        guard.configure(config, nets, accounts);
        guard
    }

    /// New rules, networks and accounts; bans and acquaintances stay, and so does what was guessed at accounts
    /// that stay.
    pub fn configure(
        &mut self,
        config: GuardConfig,
        nets: Vec<IpNet>,
        accounts: impl IntoIterator<Item = String>,
    ) {
        self.config = config;
        self.know(nets);
        self.guesses.keep(accounts);
    }

    /// Other networks are known, besides those of the rules.
    pub fn know(&mut self, mut nets: Vec<IpNet>) {
        nets.extend(self.config.known_nets.iter().copied());
        self.change(Change::Networks(nets));
    }

    /// Whether a message may be read, before anything is known of it but its bytes.
    pub fn ask(&mut self, now: Time, flow: Flow, bytes: &[u8]) -> Result<Standing, Dropped> {
        let ip = flow.remote.ip();
        match self.door.standing(ip) {
            Standing::Banned => Err(Dropped("banned")),
            Standing::Known => match self.peers.of(source_of(ip)).take(now, self.config.peer) {
                true => Ok(Standing::Known),
                false => Err(Dropped("peer_rate")),
            },
            Standing::Suspected if !self.is_on_parole(now, flow, bytes) => Err(Dropped("banned")),
            Standing::Stranger | Standing::Suspected => {
                self.ask_for_stranger(now, flow, bytes).map(|()| Standing::Stranger)
            }
        }
    }

    /// Whether somebody who may be banned for another's doing may be heard: to prove itself, and on a stream, which is
    /// its own.
    fn is_on_parole(&mut self, now: Time, flow: Flow, bytes: &[u8]) -> bool {
        let may_prove = || bytes.starts_with(b"REGISTER ");
        let record = self.records.of(source_of(flow.remote.ip()));
        flow.transport.is_stream() || (may_prove() && record.parole.take(now, self.config.parole))
    }

    fn ask_for_stranger(&mut self, now: Time, flow: Flow, bytes: &[u8]) -> Result<(), Dropped> {
        let (ip, source) = (flow.remote.ip(), source_of(flow.remote.ip()));
        if !self.sources.of(source).take(now, self.config.stranger) {
            let rate = self.config.flood;
            self.count(now, flow, Offence::of("flood", flow), |record| &mut record.flood, rate);
            return Err(Dropped("source_rate"));
        }
        if !self.prefixes.of(prefix_of(ip)).take(now, self.config.prefix) {
            return Err(Dropped("prefix_rate"));
        }
        if !self.strangers.take(now, self.config.strangers) {
            return Err(Dropped("strangers_rate"));
        }
        if bytes.len() > self.config.message {
            return Err(Dropped("too_large"));
        }
        let Some(tool) = scanners::scanner(bytes) else { return Ok(()) };
        let method = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
        let method = std::str::from_utf8(method).unwrap_or_default();
        self.records.of(source).messages += 1;
        self.ban(now, flow, Offence { method, detail: tool, ..Offence::of("scanner", flow) });
        Err(Dropped("scanner"))
    }

    /// What this address is to us now.
    pub fn standing(&self, ip: IpAddr) -> Standing {
        self.door.standing(ip)
    }

    /// The most header fields of a stranger's message.
    pub fn headers_max(&self) -> usize {
        self.config.headers
    }

    /// Somebody proved themselves, is in a session of ours, or is called by us.
    pub fn acquaint(&mut self, now: Time, ip: IpAddr) {
        self.acquaint_until(ip, now + ACQUAINTED);
    }

    /// The same, until a registration runs out.
    pub fn acquaint_until(&mut self, ip: IpAddr, until: Time) {
        let ip = ip.to_canonical();
        match self.known.get(&ip) {
            Some(before) if *before + WORTH_PROLONGING > until => return,
            Some(before) => {
                self.known_ends.remove(&(*before, ip));
            }
            None => {
                if self.known.len() >= KNOWN_MAX
                    && let Some((_, first)) = self.known_ends.first().copied()
                {
                    self.forget(first);
                }
                self.change(Change::Known(ip));
            }
        }
        self.known.insert(ip, until);
        self.known_ends.insert((until, ip));
    }

    fn forget(&mut self, ip: IpAddr) {
        if let Some(until) = self.known.remove(&ip) {
            self.known_ends.remove(&(until, ip));
            self.change(Change::Stranger(ip));
        }
    }

    /// A message of this flow could not be understood.
    pub fn malformed(&mut self, now: Time, flow: Flow) {
        let rate = self.config.malformed;
        self.count(now, flow, Offence::of("malformed", flow), |record| &mut record.malformed, rate);
    }

    /// A request without a proof is challenged.
    pub fn proved_nothing(&mut self, now: Time, flow: Flow, method: &str, user: &str) {
        let offence = Offence { method, user, ..Offence::of("enumeration", flow) };
        let rate = self.config.challenges;
        self.count(now, flow, offence, |record| &mut record.challenges, rate);
    }

    /// A request without a proof gets no answer at all. Who sent it repeats it ten times and means nothing by it
    /// (RFC 3261 §17.1.2.2): the same by its `id` counts once.
    pub fn heard_nothing(&mut self, now: Time, flow: Flow, method: &str, user: &str, id: &str) {
        let record = self.records.of(source_of(flow.remote.ip()));
        let said = || id.chars().chain(user.chars());
        if said().eq(record.unanswered.chars()) {
            return;
        }
        record.unanswered = said().take(UNANSWERED_LETTERS).collect();
        self.proved_nothing(now, flow, method, user);
    }

    /// Credentials came. What comes too fast counts as little right as wrong, and so does what is sent from where
    /// its sender may not be: a forger could guess for ever, and use up an account's pace.
    pub fn attempted(&mut self, now: Time, flow: Flow, attempt: Attempt<'_>) -> Belief {
        let proven = flow.transport.is_stream() || attempt.returned;
        match self.door.standing(flow.remote.ip()) {
            Standing::Stranger | Standing::Suspected => {
                self.attempted_by_stranger(now, flow, attempt, proven)
            }
            Standing::Known | Standing::Banned => self.attempted_by_known(now, flow, attempt, proven),
        }
    }

    fn attempted_by_stranger(&mut self, now: Time, flow: Flow, attempt: Attempt<'_>, proven: bool) -> Belief {
        let (ip, source) = (flow.remote.ip(), source_of(flow.remote.ip()));
        let in_time = self.records.of(source).guess_pace.take(now, self.config.guess_pace);
        let heard = in_time && proven && self.guesses.stranger_is_heard(now, ip, attempt.user, &self.config);
        if attempt.right && heard && !attempt.fresh {
            return Belief::Take;
        }
        if attempt.right && heard {
            self.records.forget(source);
            self.bans.forgive(source);
            if self.bans.end(source) {
                self.unbanned(source, "proved");
            }
            self.acquaint(now, ip);
            return Belief::Take;
        }
        if !attempt.right || !in_time {
            let Attempt { user, method, .. } = attempt;
            let offence = Offence { rule: "guessing", proven, method, user, detail: "" };
            let rate = self.config.guesses;
            self.count(now, flow, offence, |record| &mut record.guesses, rate);
        }
        match (in_time, proven) {
            (false, _) => Belief::Silence,
            (true, false) => Belief::Renew,
            (true, true) => Belief::Challenge,
        }
    }

    /// Many may share an address that is known, and one of them may guess: nobody there is kept out for it, and the
    /// device that is there goes on.
    fn attempted_by_known(&mut self, now: Time, flow: Flow, attempt: Attempt<'_>, proven: bool) -> Belief {
        if attempt.right && attempt.there {
            return Belief::Take;
        }
        if !proven {
            return Belief::Renew;
        }
        match self.guesses.known_is_heard(now, flow.remote.ip(), attempt, &self.config) {
            true => Belief::Take,
            false => Belief::Silence,
        }
    }

    /// Begins a ban that a person wants, or that the log knows of.
    pub fn begin_ban(&mut self, ban: Ban) {
        self.enter(ban);
    }

    /// Ends a ban because a person says so, and forgets what was before. False if there is none.
    pub fn lift(&mut self, source: IpNet) -> bool {
        let there = self.bans.end(source);
        if there {
            self.bans.forgive(source);
            self.records.forget(source);
            self.change(Change::Lifted(source));
        }
        there
    }

    /// The living bans, by source.
    pub fn bans(&self) -> impl Iterator<Item = &Ban> {
        self.bans.living()
    }

    /// How many sources, prefixes and known addresses something is remembered of.
    pub fn remembered(&self) -> usize {
        let tables = self.peers.len() + self.prefixes.len() + self.sources.len() + self.records.len();
        tables + self.guesses.len() + self.known.len()
    }

    /// Ends what is over.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(source) = self.bans.expire(now) {
            self.unbanned(source, "expired");
        }
        while let Some((at, ip)) = self.known_ends.first().copied()
            && at <= now
        {
            self.forget(ip);
        }
    }

    /// When the next ban or acquaintance is over.
    pub fn poll_timeout(&self) -> Option<Time> {
        let known = self.known_ends.first().map(|(at, _)| *at);
        [self.bans.poll_timeout(), known].into_iter().flatten().min()
    }

    /// The next thing to tell.
    pub fn poll_output(&mut self) -> Option<Notice> {
        self.out.pop_front()
    }

    /// Counts an offence of a stranger; too many are a ban.
    fn count(
        &mut self,
        now: Time,
        flow: Flow,
        offence: Offence<'_>,
        bucket: impl FnOnce(&mut Record) -> &mut Bucket,
        rate: Rate,
    ) {
        match self.door.standing(flow.remote.ip()) {
            Standing::Known | Standing::Banned => return,
            Standing::Stranger | Standing::Suspected => {}
        }
        let record = self.records.of(source_of(flow.remote.ip()));
        record.messages += 1;
        if !bucket(record).take(now, rate) {
            self.ban(now, flow, offence);
        }
    }

    fn ban(&mut self, now: Time, flow: Flow, offence: Offence<'_>) {
        let is_suspected = self.door.standing(flow.remote.ip()) == Standing::Suspected;
        // What may be forged adds nothing to a ban for the like of it.
        if (is_suspected && !offence.proven) || !self.ban_pace.take(now, self.config.ban_pace) {
            return;
        }
        let source = source_of(flow.remote.ip());
        // What a forger can make of somebody else is short, and is not held against them.
        let level = if offence.proven { self.bans.next_level(source) } else { 0 };
        let step = usize::from(level.saturating_sub(1)).min(self.config.bans.len().saturating_sub(1));
        let length = self.config.bans.get(step).copied().unwrap_or_default();
        let ban = Ban {
            source,
            since: now,
            until: now + length,
            rule: offence.rule.to_owned(),
            level,
            evidence: Evidence {
                messages: self.records.of(source).messages,
                method: told(offence.method),
                user: told(offence.user),
                detail: told(offence.detail),
            },
        };
        self.records.forget(source);
        self.enter(ban.clone());
        self.out.push_back(Notice::Banned(Box::new(ban)));
    }

    fn enter(&mut self, ban: Ban) {
        let (source, whom) = (ban.source, ban.whom());
        if self.bans.end(source) {
            self.change(Change::Lifted(source));
        }
        if let Some(evicted) = self.bans.begin(ban) {
            self.unbanned(evicted, "evicted");
        }
        self.change(Change::Banned { source, whom });
    }

    fn unbanned(&mut self, source: IpNet, why: &'static str) {
        self.change(Change::Lifted(source));
        self.out.push_back(Notice::Unbanned { source, why });
    }

    fn change(&mut self, change: Change) {
        self.door.apply(&change);
        self.out.push_back(Notice::Door(change));
    }
}

/// The rule of bans that a person wanted.
pub const ADMINISTRATOR: &str = "administrator";

impl Offence<'_> {
    fn of(rule: &'static str, flow: Flow) -> Offence<'static> {
        Offence { rule, proven: flow.transport.is_stream(), method: "", user: "", detail: "" }
    }
}

/// What a stranger wrote, fit to be shown.
fn told(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(EVIDENCE_LETTERS).collect()
}
