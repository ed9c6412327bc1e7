//! The engine's loop: take what came, let the engine decide, do what it says, write down what happened.

use super::Control;
use super::addresses::Addresses;
use super::commands::Commands;
use super::counting::Guarded;
use super::facts::Unwritten;
use super::seeing::Seeing;
use base::{Time, Wall};
use cti::CommandRequest;
use engine::{Asker, Engine, Input, Output};
use facts::FactKind;
use journal::Journal;
use lookups::{LookUps, LookedUp};
use media_api::{Event, Fingerprint, RecordingTold};
use net::{
    CertificateFetcher, Clock, FetchedCertificate, MediaThreads, Recorder, Resolved, Resolver, SipInbox,
    SipInput, SipSockets,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use trace::Way;

/// Inputs taken from one inbox before the others are looked at again.
const BATCH: usize = 64;
/// A difference between the two clocks that is more than drift.
const CLOCK_JUMP_MICROS: i64 = 50_000;
/// How long the last hang-ups may be sent again, if nobody answers them.
const LAST_HANG_UPS: Duration = Duration::from_secs(8);
/// How long the last facts may take to reach the disk at the end.
const LAST_FACTS: Duration = Duration::from_secs(10);

/// Where the engine's inputs come from, besides the network.
pub(super) struct Inboxes {
    pub(super) media: Receiver<Event>,
    pub(super) recorded: UnboundedReceiver<RecordingTold>,
    pub(super) control: Receiver<Control>,
    pub(super) commands: Receiver<CommandRequest>,
}

/// Whom the engine talks with, and asks.
pub(super) struct Outside {
    pub(super) sockets: SipSockets,
    pub(super) addresses: Addresses,
    /// What browsers know us by, until the program ends.
    pub(super) certificate: Option<Fingerprint>,
    pub(super) names: Resolver,
    pub(super) fetcher: CertificateFetcher,
    /// Whom scripts ask.
    pub(super) look_ups: LookUps<Asker>,
}

/// Where answers come from to what the engine has asked.
pub(super) struct Answers {
    pub(super) resolved: UnboundedReceiver<Resolved>,
    pub(super) fetched: UnboundedReceiver<FetchedCertificate>,
    pub(super) looked_up: UnboundedReceiver<LookedUp<Asker>>,
}

/// The engine and everything that it acts on.
pub(super) struct Turn {
    engine: Engine,
    outside: Outside,
    media: MediaThreads,
    recorder: Recorder,
    clock: Clock,
    wall_at_zero: Wall,
    facts: Unwritten,
    seeing: Seeing,
    guarded: Guarded,
    commands: Commands,
    draining: bool,
    /// Since when no call is left.
    empty_since: Option<Time>,
}

impl Turn {
    pub(super) fn new(
        engine: Engine,
        outside: Outside,
        (media, recorder): (MediaThreads, Recorder),
        clock: Clock,
        journal: Arc<Journal>,
        (seeing, guarded): (Seeing, Guarded),
    ) -> Turn {
        Turn {
            engine,
            outside,
            media,
            recorder,
            clock,
            wall_at_zero: clock.wall_at_zero(),
            facts: Unwritten::new(journal),
            seeing,
            guarded,
            commands: Commands::default(),
            draining: false,
            empty_since: None,
        }
    }

    /// Runs until told to end, or drained.
    pub(super) async fn run(mut self, mut sip: SipInbox, mut answers: Answers, mut inboxes: Inboxes) {
        self.drain_outputs();
        self.write_facts();
        while !self.is_done() {
            let wake = self.wake_at();
            tokio::select! {
                Some(control) = inboxes.control.recv() => self.control(control),
                Some(event) = inboxes.media.recv() => {
                    self.take(Input::Media(event));
                    self.take_more(|| inboxes.media.try_recv().ok().map(Input::Media));
                }
                Some(told) = inboxes.recorded.recv() => self.take(Input::Recorded(told)),
                Some(message) = sip.recv() => {
                    self.take(sip_input(message));
                    self.take_more(|| sip.try_recv().map(sip_input));
                }
                Some((query, answer)) = answers.resolved.recv() => self.take(Input::Resolved { query, answer }),
                Some((url, answer)) = answers.fetched.recv() => self.take(Input::Fetched { url, answer }),
                Some((asker, answer)) = answers.looked_up.recv() => self.take(Input::LookedUp { asker, answer }),
                Some(request) = inboxes.commands.recv() => {
                    let input = self.commands.accept(request);
                    self.take(input);
                }
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            self.timeouts();
            self.seeing.forget();
            self.write_facts();
        }
        self.facts.finish(LAST_FACTS);
    }

    /// Told to end, no call is left, and every hang-up was answered, or has been sent for long enough.
    fn is_done(&mut self) -> bool {
        if !self.draining || self.engine.calls() > 0 {
            self.empty_since = None;
            return false;
        }
        let since = *self.empty_since.get_or_insert(self.clock.now());
        self.engine.is_quiet() || self.clock.now().since(since) > LAST_HANG_UPS
    }

    fn take_more(&mut self, mut next: impl FnMut() -> Option<Input>) {
        for _ in 0..BATCH {
            match next() {
                Some(input) => self.take(input),
                None => return,
            }
        }
    }

    fn take(&mut self, input: Input) {
        if let Input::Sip { flow, bytes } = &input {
            self.seeing.saw(Way::In, *flow, bytes);
        }
        self.engine.handle(self.clock.now(), input);
        self.drain_outputs();
    }

    fn timeouts(&mut self) {
        self.follow_wall_clock();
        let now = self.clock.now();
        if self.engine.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.engine.handle_timeout(now);
            self.drain_outputs();
        }
    }

    /// Does everything that the engine asks for. Ports are given at once, so that an answer need not wait.
    fn drain_outputs(&mut self) {
        let mut answers = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Sip { flow, bytes } => {
                    self.seeing.saw(Way::Out, flow, &bytes);
                    self.outside.sockets.send(flow, bytes);
                }
                Output::Resolve { query } => self.outside.names.ask(query),
                Output::Fetch(fetch) => self.outside.fetcher.fetch(*fetch),
                Output::LookUp(engine::Question { asker, look_up, with }) => {
                    self.outside.look_ups.ask(asker, look_up, with);
                }
                Output::Expect { remote, name } => self.outside.sockets.expect(remote, &name),
                Output::Record(order) => answers.extend(self.recorder.order(order).map(Input::Recorded)),
                Output::Media { command: media_api::Command::Open { leg, family }, beside } => {
                    answers.push(Input::Media(self.media.open(leg, family, beside)));
                }
                Output::Media { command, .. } => {
                    answers.extend(self.media.command(command).map(Input::Media))
                }
                Output::Door(change) => self.outside.sockets.apply(&change),
                Output::Fact(fact) => {
                    log_trunk(&fact.kind);
                    self.seeing.learn(&fact);
                    self.guarded.learn(&fact.kind);
                    self.facts.push(fact);
                }
                Output::Reply { id, result } => self.commands.reply(id, result),
            }
        }
        for answer in answers {
            self.take(answer);
        }
    }

    /// Hands the facts to the log; tells the engine when it does not keep up, and when it does again.
    fn write_facts(&mut self) {
        let before = self.facts.refused();
        self.facts.write();
        let refused = self.facts.refused();
        if refused != before {
            self.take(Input::LogFull(refused));
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Reload { mut config, tls, fetching, looking_up, done } => {
                self.outside.addresses.settle(&mut config);
                config.media_certificate.clone_from(&self.outside.certificate);
                self.outside.sockets.renew(tls);
                self.outside.fetcher.renew(fetching);
                self.outside.look_ups.renew(looking_up);
                self.take(Input::Reload(config));
                // Whoever asked may have gone away meanwhile.
                let _ = done.send(self.facts.last());
            }
            Control::ReloadRefused(findings) => self.take(Input::ReloadRefused { findings }),
            Control::Drain => {
                self.draining = true;
                self.take(Input::Drain);
            }
            Control::Stop => {
                self.draining = true;
                self.take(Input::Stop);
            }
        }
    }

    /// Tells the engine when people's clocks were set.
    fn follow_wall_clock(&mut self) {
        let now = self.clock.wall_at_zero();
        let jump = now.unix_micros().saturating_sub(self.wall_at_zero.unix_micros());
        if jump.abs() > CLOCK_JUMP_MICROS {
            self.wall_at_zero = now;
            self.take(Input::Wall(self.clock.wall()));
        }
    }

    fn wake_at(&self) -> std::time::Instant {
        let engine = self.engine.poll_timeout().map_or(Time::FAR, |(at, _)| at);
        let facts = self.facts.retry_at(self.clock.now());
        self.clock.instant(engine.min(facts).min(self.clock.now() + Duration::from_secs(1)))
    }
}

/// A trunk's state is told where an operator of the machine looks, besides the log of facts.
fn log_trunk(kind: &FactKind) {
    match kind {
        FactKind::TrunkUp { trunk } => tracing::info!(trunk, "the trunk is up"),
        FactKind::TrunkDown { trunk, why, .. } => tracing::warn!(trunk, "the trunk is down: {why}"),
        FactKind::TrunkDegraded { trunk, up, down } => {
            tracing::warn!(trunk, up, ?down, "some servers of the trunk do not answer");
        }
        FactKind::TrunkRegistrationFailed { trunk, next_try_s, why, .. } => {
            tracing::warn!(trunk, next_try_s, "the trunk cannot register: {why}");
        }
        _ => {}
    }
}

fn sip_input(message: SipInput) -> Input {
    match message {
        SipInput::Received { flow, bytes } => Input::Sip { flow, bytes },
        SipInput::FlowFailed { flow } => Input::FlowFailed { flow },
        SipInput::TooLarge { flow, bytes } => {
            tracing::warn!(remote = %flow.remote, bytes = bytes.len(), "a message is too large for a datagram");
            Input::TooLarge { bytes }
        }
    }
}
