//! The root: one input, then everything that follows from it, then the next input.

use crate::bans::Bans;
use crate::blocked::Blocked;
use crate::call::{Call, Parties, Source, Way, turned_away};
use crate::callbacks;
use crate::charges::settle;
use crate::context::{CallKey, Context, Owner};
use crate::destinations::{Meant, answering, invited};
use crate::devices::Devices;
use crate::ledger::Ledger;
use crate::texts::Texts;
use crate::{CommandRefused, Config, Input, Output, Past, Why, memories, past};
use acd::Acd;
use base::{Seed, Slots, Time, Wall};
use facts::{Cause, End, FactKind, QueueNow, Side, Snapshot};
use sip::ua::{Event, Flow, Invite, Peer, SessionId, UserAgent};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Every call of one node, and what they share.
pub struct Engine {
    pub(crate) ctx: Context,
    pub(crate) calls: Slots<Call>,
    devices: Devices,
    texts: Texts,
    blocked: Blocked,
    pub(crate) bans: Bans,
    draining: bool,
    log_full: bool,
}

impl Engine {
    /// An engine that goes on where the log ended. `wall` is the time of day at `now`.
    pub fn new(mut config: Config, mut past: Past, seed: Seed, now: Time, wall: Wall) -> Engine {
        config.services = config.numbering.by_normal_form(config.services);
        let sip = UserAgent::new(config.sip.clone(), seed.named("sip"), now);
        let acd = Acd::new(config.acd.clone(), now);
        let mut ledger = Ledger::new(past.head, seed.named("call").rng());
        ledger.set_wall(now, wall);
        let calls = Slots::new(config.calls_max);
        let ctx = Context::new(now, Arc::new(config), sip, acd, ledger, seed.named("engine"));
        let mut engine = Engine {
            ctx,
            calls,
            devices: Devices::default(),
            texts: Texts::default(),
            blocked: Blocked::default(),
            bans: Bans::default(),
            draining: false,
            log_full: false,
        };
        let (bans, waiting) = (std::mem::take(&mut past.bans), std::mem::take(&mut past.callbacks));
        engine.ctx.emergencies.restore(std::mem::take(&mut past.emergencies));
        engine.ctx.memories.restore(std::mem::take(&mut past.memories));
        past::begin(&mut engine.ctx, past);
        memories::keep_scripts(&mut engine.ctx);
        engine.bans.restore(&mut engine.ctx, bans);
        callbacks::restore(&mut engine.ctx, waiting);
        engine.settle();
        engine
    }

    /// Takes one input and everything that follows from it. Drain [`Engine::poll_output`] before the next.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.ctx.now = now;
        match input {
            Input::Sip { flow, bytes } => {
                self.ctx.sip.handle(now, sip::ua::Input::Received { flow, bytes });
            }
            Input::FlowFailed { flow } => self.ctx.sip.handle(now, sip::ua::Input::FlowFailed { flow }),
            Input::TooLarge { bytes } => self.ctx.sip.handle(now, sip::ua::Input::TooLarge { bytes }),
            Input::Resolved { query, answer } => {
                self.ctx.sip.handle(now, sip::ua::Input::Resolved { query, answer });
            }
            Input::Fetched { url, answer } => self.fetched(&url, &answer),
            Input::LookedUp { asker, answer } => {
                self.with_call(asker.call, |call, ctx| call.looked_up(ctx, asker.serial, answer));
            }
            Input::Media(event) => self.media_event(event),
            Input::Recorded(told) => {
                if let Some(key) = self.ctx.recordings.take(&told) {
                    self.with_call(key, |call, ctx| call.recording_told(ctx, told));
                }
            }
            Input::Wall(wall) => self.ctx.ledger.set_wall(now, wall),
            Input::Command { id, by, command } => self.command(id, by, command),
            Input::Reload(config) => self.reload(*config),
            Input::ReloadRefused { findings } => self.ctx.note(FactKind::ConfigRejected { findings }),
            Input::LogFull(full) => self.log_full = full,
            Input::Drain => self.drain(),
            Input::Stop => self.end_all(End::new(Side::Engine, Cause::ShuttingDown).sip(503)),
        }
        self.settle();
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.ctx.now = now;
        self.ctx.sip.handle_timeout(now);
        // What has gone from SIP by now, the distributor is to know before it decides.
        self.settle();
        self.ctx.acd.handle_timeout(now);
        self.settle();
        self.blocked.handle_timeout(&mut self.ctx);
        callbacks::handle_timeout(&mut self.ctx);
        memories::handle_timeout(&mut self.ctx);
        while let Some((at, key)) = self.ctx.deadlines.first().copied() {
            if at > now {
                break;
            }
            self.with_call(key, |call, ctx| call.handle_timeout(ctx));
        }
        self.settle();
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        base::next_output(&mut self.ctx.out)
    }

    /// The next deadline, and whose it is.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        let sip = self.ctx.sip.poll_timeout().map(|(at, why)| (at, Why::Sip(why)));
        let acd = self.ctx.acd.poll_timeout().map(|(at, why)| (at, Why::Acd(why)));
        let call = self.ctx.deadlines.first().map(|(at, _)| (*at, Why::Call));
        let blocked = self.blocked.poll_timeout().map(|at| (at, Why::Blocked));
        let callback = self.ctx.callbacks.poll_timeout().map(|at| (at, Why::Callback));
        let memory = self.ctx.memories.poll_timeout(self.ctx.now, self.ctx.wall());
        let memory = memory.map(|at| (at, Why::Memory));
        [sip, acd, call, blocked, callback, memory].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Whether a call of ours may begin.
    pub(crate) fn takes_calls(&self) -> bool {
        !self.draining && self.has_room()
    }

    /// Whether there is room for one more call, and for what is written down of it.
    pub(crate) fn has_room(&self) -> bool {
        !self.log_full && self.calls.len() < self.ctx.config.calls_max
    }

    /// How many calls are going on.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// No call goes on, and every hang-up has been answered or given up.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty() && self.ctx.sip.load().sessions == 0
    }

    /// Nothing is left: no call, no transaction, no session, no offer.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.ctx.sip.is_idle()
            && self.ctx.acd.is_idle()
            && self.ctx.sessions.is_empty()
            && self.ctx.media.is_empty()
            && self.ctx.entries.is_empty()
            && self.ctx.offers.is_empty()
            && self.ctx.deadlines.is_empty()
            && self.ctx.is_at_rest()
    }

    /// The state of everything, as the fold of the facts so far must give it too.
    pub fn snapshot(&self) -> Snapshot {
        let mut waiting: BTreeMap<&str, Vec<(acd::EntryId, &str)>> = BTreeMap::new();
        for (_, call) in self.calls.iter() {
            if let Some((queue, entry)) = call.queue() {
                waiting.entry(queue).or_default().push((entry, &call.log.id));
            }
        }
        let queues = waiting.into_iter().map(|(queue, mut calls)| {
            calls.sort_unstable();
            let waiting = calls.into_iter().map(|(_, call)| call.to_owned()).collect();
            (queue.to_owned(), QueueNow { waiting })
        });
        Snapshot {
            as_of: self.ctx.ledger.head(),
            calls: self.calls.iter().map(|(_, call)| (call.log.id.clone(), call.now())).collect(),
            queues: queues.collect(),
            agents: self.devices.agents.clone(),
            trunks: self.devices.trunks.clone(),
            bans: self.bans.now().clone(),
            emergencies: self.ctx.emergencies.now().clone(),
            callbacks: self.ctx.callbacks.now(),
        }
    }

    /// The call that facts name so, if it goes on.
    pub(crate) fn call_of(&self, id: &str) -> Result<(CallKey, &Call), CommandRefused> {
        self.calls.iter().find(|(_, call)| call.log.id == id).ok_or(CommandRefused::NotFound)
    }

    /// Acts on a call and keeps its deadline, its record and its place in step.
    pub(crate) fn with_call(&mut self, key: CallKey, act: impl FnOnce(&mut Call, &mut Context)) {
        let Some(call) = self.calls.get_mut(key) else { return };
        act(call, &mut self.ctx);
        call.follow_recording(&mut self.ctx);
        if let Some(before) = call.deadline.take() {
            self.ctx.deadlines.remove(&(before, key));
        }
        if call.is_over() {
            self.calls.remove(key);
            self.ctx.captures.forget(key);
            return;
        }
        call.deadline = call.poll_timeout(&self.ctx).map(|(at, _)| at);
        if let Some(at) = call.deadline {
            self.ctx.deadlines.insert((at, key));
        }
    }

    /// Carries events between the machines until all are quiet. What the distributor has decided comes first: the
    /// facts are to stand in the order of its decisions, not after whatever else one input brings.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some(output) = self.ctx.acd.poll_output() {
                self.acd_output(output);
            } else if let Some(output) = self.ctx.sip.poll_output() {
                match output {
                    sip::ua::Output::Send { flow, bytes } => {
                        self.ctx.out.push_back(Output::Sip { flow, bytes });
                    }
                    sip::ua::Output::Resolve { query } => self.ctx.out.push_back(Output::Resolve { query }),
                    sip::ua::Output::Expect { remote, name } => {
                        self.ctx.out.push_back(Output::Expect { remote, name });
                    }
                    sip::ua::Output::Event(event) => self.sip_event(event),
                    sip::ua::Output::Door(change) => self.ctx.out.push_back(Output::Door(change)),
                }
            } else if let Some(errand) = self.ctx.errands.pop_front() {
                self.errand(errand);
            } else {
                return;
            }
        }
    }

    fn sip_event(&mut self, event: Event) {
        match event {
            Event::Incoming { session, invite } => self.incoming(session, *invite),
            Event::Refused { invite, status, why } => self.turned_away(*invite, status, &why),
            Event::Progress { session, status, sdp, early_media } => {
                self.for_session(session, |call, ctx, leg| {
                    call.progressed(ctx, leg, (status, sdp.as_deref()), early_media);
                });
            }
            Event::Answered { session, sdp } => {
                self.for_session(session, |call, ctx, leg| call.answered(ctx, leg, sdp.as_deref()));
            }
            Event::Confirmed { session, sdp } => {
                self.for_session(session, |call, ctx, leg| call.confirmed(ctx, leg, sdp));
            }
            Event::Reoffered { session, sdp } => {
                self.for_session(session, |call, ctx, leg| call.reoffered(ctx, leg, sdp.as_deref()));
            }
            Event::Reanswered { session, sdp } => {
                self.for_session(session, |call, ctx, leg| call.reanswered(ctx, leg, &sdp));
            }
            // The session goes on as it was; a party that is gone does not refuse but stays silent.
            Event::ReofferRefused { session, .. } => {
                self.for_session(session, |call, ctx, leg| call.reoffer_refused(ctx, leg));
            }
            Event::RefreshDue { session } => {
                self.for_session(session, |call, ctx, leg| call.refresh_due(ctx, leg));
            }
            Event::RefreshFailed { session, status, ends_in } => {
                self.for_session(session, |call, ctx, leg| call.refresh_failed(ctx, leg, status, ends_in));
            }
            Event::WayBroke { session } => {
                self.for_session(session, |call, ctx, leg| call.way_broke(ctx, leg));
            }
            Event::InfoDigit { session, digit, held } => {
                self.for_session(session, |call, ctx, leg| call.digit(ctx, leg, digit, held, Source::Info));
            }
            Event::KeysRefused { session, keys } => {
                self.for_session(session, |call, ctx, leg| call.keys_refused(ctx, leg, keys));
            }
            Event::Referred { session, referral } => {
                self.for_session(session, |call, ctx, leg| call.referred(ctx, leg, *referral));
            }
            Event::ReferProgress { session, status, over } => {
                self.for_session(session, |call, ctx, leg| call.refer_progress(ctx, leg, status, over));
            }
            Event::Ended { session, ending } => {
                self.for_session(session, |call, ctx, leg| call.session_ended(ctx, leg, &ending));
            }
            Event::TextArrived { text, told } => self.texts.arrived(&mut self.ctx, text, *told),
            Event::TextOver { text, status } => self.texts.over(&mut self.ctx, text, status),
            Event::Registered { user, contact, new } => {
                self.device_shows_itself(&user, contact.flow);
                self.devices.registered(&mut self.ctx, user, contact, new);
            }
            Event::Unregistered { user, why } => self.devices.unregistered(&mut self.ctx, user, why),
            Event::RegistrationUp { name } => self.devices.trunk_up(&mut self.ctx, name),
            Event::RegistrationDown { name, refused, status, next_try } => {
                self.devices.trunk_down(&mut self.ctx, name, (refused, status), next_try);
            }
            Event::Banned { ban } => self.bans.begun(&mut self.ctx, *ban),
            Event::Unbanned { source, why } => self.bans.ended(&mut self.ctx, source, why),
            Event::WentOn { session, from, to, status } => {
                self.for_session(session, |call, ctx, leg| call.went_on(ctx, leg, from, to, status));
            }
            Event::TrunkHealth { name, up, down } => self.devices.trunk_health(&mut self.ctx, name, up, down),
            Event::Blocked { source, rule } => self.blocked.count(&mut self.ctx, source.ip(), rule),
        }
    }

    fn acd_output(&mut self, output: acd::Output) {
        use acd::Output as Acd;
        match output {
            Acd::Entered { entry, position } => {
                self.for_entry(entry, |call, ctx| call.queue_entered(ctx, entry, position));
            }
            Acd::NotEntered { entry, why } => match self.ctx.callbacks.of_entry(entry) {
                Some(id) => callbacks::not_entered(&mut self.ctx, id, why),
                None => self.for_entry(entry, |call, ctx| call.queue_refused(ctx, entry, why)),
            },
            Acd::Widened { entry } => self.for_entry(entry, |call, ctx| call.widened(ctx)),
            Acd::NotAsked { entry, why } => self.for_entry(entry, |call, ctx| call.not_asked(ctx, why)),
            Acd::Announce { entry, position } => {
                self.for_entry(entry, |call, ctx| call.announce(ctx, position));
            }
            Acd::Overflowed { entry, waited } => {
                self.for_entry(entry, |call, ctx| call.overflowed(ctx, entry, waited));
            }
            Acd::Offer { offer, entry, agent, deadline } => match self.ctx.callbacks.of_entry(entry) {
                Some(id) => self.offer_callback((id, entry), offer, agent, deadline),
                None => self.for_entry(entry, |call, ctx| call.offer(ctx, (entry, offer), agent, deadline)),
            },
            Acd::Retract { offer, why, .. } => {
                self.for_offer(offer, |call, ctx| call.retracted(ctx, offer, why));
            }
            Acd::Won { offer, .. } => self.for_offer(offer, |call, ctx| call.won(ctx, offer)),
            Acd::TooLate { offer } => self.for_offer(offer, |call, ctx| call.too_late(ctx, offer)),
            Acd::State { agent, state, reason, by } => {
                self.devices.agent_state(&mut self.ctx, agent, (state, by), reason);
            }
        }
    }

    fn media_event(&mut self, event: media_api::Event) {
        use media_api::Event as Media;
        match event {
            Media::Opened { leg, local } => {
                self.for_media(leg, |call, ctx, number| call.media_opened(ctx, number, local));
            }
            Media::OpenFailed { leg, why } => {
                self.for_media(leg, |call, ctx, number| call.media_failed(ctx, number, &why));
            }
            Media::Digit { leg, digit, held, by } => {
                self.for_media(leg, |call, ctx, number| call.digit(ctx, number, digit, held, by.into()));
            }
            Media::Progress { leg, tone } => {
                self.for_media(leg, |call, ctx, number| call.progress_heard(ctx, number, tone));
            }
            Media::PlayEnded { leg, play, complete } => {
                self.for_media(leg, |call, ctx, _| call.play_ended(ctx, play, complete));
            }
            Media::SoundMissing { leg, sound } => {
                self.for_media(leg, |call, ctx, _| call.sound_missing(ctx, &sound));
            }
            Media::Silent { leg, evidence } => {
                self.for_media(leg, |call, ctx, number| call.silent(ctx, number, &evidence));
            }
            Media::Restored { leg, after } => {
                self.for_media(leg, |call, ctx, number| call.restored(ctx, number, after));
            }
            Media::Unauthenticated { leg, from, report, packets, keys } => {
                self.for_media(leg, |call, ctx, number| {
                    call.unauthenticated(ctx, number, (from, report, packets), keys);
                });
            }
            Media::PathFound { leg, at } => {
                self.for_media(leg, |call, ctx, number| call.path_found(ctx, number, at));
            }
            Media::PathLost { leg, at, silent_for } => {
                self.for_media(leg, |call, ctx, number| call.path_lost(ctx, number, at, silent_for));
            }
            Media::Secured { leg, keys } => {
                self.for_media(leg, |call, ctx, number| call.secured(ctx, number, keys));
            }
            Media::HandshakeFailed { leg, why } => {
                self.for_media(leg, |call, ctx, number| call.handshake_failed(ctx, number, why));
            }
            Media::Quality { leg, quality } => {
                self.for_media(leg, |call, ctx, number| {
                    call.note(ctx, crate::quality::of_a_span(number, &quality));
                });
            }
            Media::MessageEnded { leg, recording, why } => {
                self.for_media(leg, |call, ctx, _| call.message_ended(ctx, recording, why));
            }
            // Nobody waits for its end.
            Media::Announced { .. } => {}
            Media::Closed { leg, stats } => {
                self.for_media(leg, |call, ctx, number| call.media_closed(ctx, number, &stats));
            }
        }
    }

    fn incoming(&mut self, session: SessionId, invite: Invite) {
        let source = invite.flow.remote.ip();
        if !self.has_room() {
            return self.refuse_unrecorded(session, source);
        }
        if let Some(old) = invite.replaces {
            return self.replace(old, session, invite);
        }
        let config = self.ctx.config.clone();
        let parties = Parties::of(&config.numbering, &invite);
        let before = invite.came_back.and_then(|session| self.ctx.sessions.get(&session));
        let way = Way::of(&invite, &parties, before.and_then(|owner| self.calls.get(owner.call)));
        if let Peer::Trunk(trunk) = &invite.peer
            && self.ctx.lines.is_full(trunk, config.routing.lines.get(trunk))
        {
            let trunk = trunk.clone();
            let arriving = (session, invite, parties, way);
            self.calls.insert_with(|key| Call::without_channel(&mut self.ctx, key, arriving, trunk));
            return;
        }
        let service = match &invite.peer {
            Peer::Account(user) => invited(&mut self.ctx, user, &invite),
            _ => {
                let otherwise = || config.otherwise.clone().map(Meant::from);
                answering(&config, parties.dialled.as_str()).or_else(otherwise).ok_or(404)
            }
        };
        let taken = self.calls.insert_with(|key| match service {
            Ok(meant) if !self.draining => {
                Call::arrive(&mut self.ctx, key, (session, invite, parties, way), meant)
            }
            Ok(Meant { service, charge, .. }) => {
                if let Some(charge) = charge {
                    settle(&mut self.ctx, charge);
                }
                let end = End::new(Side::Engine, Cause::ShuttingDown).sip(503);
                Call::refused(&mut self.ctx, key, (session, invite, parties, way), service.name(), end)
            }
            Err(status) => {
                let cause = match status {
                    404 => Cause::NotFound,
                    480 => Cause::Unreachable,
                    _ => Cause::Declined,
                };
                let end = End::new(Side::Engine, cause).sip(status).detail(invite.dialled.clone());
                Call::refused(&mut self.ctx, key, (session, invite, parties, way), "", end)
            }
        });
        match taken {
            Some(key) => self.with_call(key, |call, ctx| call.begin_awaited_capture(ctx)),
            None => self.refuse_unrecorded(session, source),
        }
    }

    /// SIP refused a call before it could begin.
    fn turned_away(&mut self, invite: Invite, status: u16, why: &str) {
        if self.log_full {
            return self.blocked.count(&mut self.ctx, invite.flow.remote.ip(), "capacity");
        }
        turned_away(&mut self.ctx, invite, status, why);
    }

    /// A certificate came, or none could be had: the calls that wait for it are judged again.
    fn fetched(&mut self, url: &str, answer: &stir::Fetched) {
        self.ctx.certificates.fetched(self.ctx.now, url, answer);
        let waiting = self.calls.iter().filter(|(_, call)| call.awaits(url));
        let keys: Vec<CallKey> = waiting.map(|(key, _)| key).collect();
        for key in keys {
            self.with_call(key, |call, ctx| call.judge_again(ctx));
        }
    }

    /// The INVITE takes the place of a session of a call that is there.
    fn replace(&mut self, old: SessionId, session: SessionId, invite: Invite) {
        match self.ctx.sessions.get(&old).copied() {
            Some(Owner { call, leg }) => {
                self.with_call(call, |call, ctx| call.replace(ctx, leg, session, invite));
            }
            None => self.ctx.sip(sip::ua::Do::Refuse { session, status: 481, q850: None, warning: None }),
        }
    }

    /// There is no room for the call's record, so there is none for the call. It is counted.
    fn refuse_unrecorded(&mut self, session: SessionId, source: IpAddr) {
        self.ctx.sip(sip::ua::Do::Refuse { session, status: 503, q850: Some(42), warning: None });
        self.blocked.count(&mut self.ctx, source, "capacity");
    }

    fn reload(&mut self, mut config: Config) {
        // Sockets are bound at the start; a change of theirs needs a restart, which the shell says.
        config.sip.listen.clone_from(&self.ctx.config.sip.listen);
        self.ctx.sip(sip::ua::Do::Reconfigure { config: Box::new(config.sip.clone()) });
        self.ctx.acd(acd::Input::Reconfigure(config.acd.clone()));
        let version = config.version.clone();
        config.services = config.numbering.by_normal_form(config.services);
        self.ctx.outbound.configure(config.outbound.clone());
        self.ctx.config = Arc::new(config);
        self.ctx.note(FactKind::ConfigActivated { version });
        callbacks::keep_queues(&mut self.ctx);
        memories::keep_scripts(&mut self.ctx);
        self.devices.keep_trunks(&mut self.ctx);
    }

    fn drain(&mut self) {
        if !self.draining {
            self.draining = true;
            callbacks::close(&mut self.ctx);
            let calls = self.calls.len();
            self.ctx.note(FactKind::SystemStopping { calls });
        }
    }

    fn end_all(&mut self, end: End) {
        self.drain();
        let keys: Vec<CallKey> = self.calls.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.with_call(key, |call, ctx| call.finish(ctx, end.clone()));
        }
    }

    fn for_session(&mut self, session: SessionId, act: impl FnOnce(&mut Call, &mut Context, u32)) {
        if let Some(Owner { call, leg }) = self.ctx.sessions.get(&session).copied() {
            self.with_call(call, |call, ctx| act(call, ctx, leg));
        }
    }

    /// A device of this account has registered by this way: browsers in calls of it may have been missed.
    fn device_shows_itself(&mut self, user: &str, flow: Flow) {
        let seen: Vec<CallKey> =
            self.calls.iter().filter(|(_, call)| call.has_browser_of(user)).map(|(key, _)| key).collect();
        for key in seen {
            self.with_call(key, |call, ctx| call.device_shows_itself(ctx, user, flow));
        }
    }

    fn for_media(&mut self, leg: media_api::LegId, act: impl FnOnce(&mut Call, &mut Context, u32)) {
        if let Some(Owner { call, leg }) = self.ctx.media.get(&leg).copied() {
            self.with_call(call, |call, ctx| act(call, ctx, leg));
        }
    }

    fn for_entry(&mut self, entry: acd::EntryId, act: impl FnOnce(&mut Call, &mut Context)) {
        if let Some(call) = self.ctx.entries.get(&entry).copied() {
            self.with_call(call, act);
        }
    }

    fn for_offer(&mut self, offer: acd::OfferId, act: impl FnOnce(&mut Call, &mut Context)) {
        if let Some(call) = self.ctx.offers.get(&offer).copied() {
            self.with_call(call, act);
        }
    }
}
