//! Who will be called back: entries of queues without a caller. Each keeps the place that its caller had, wins an agent
//! as a call does, and is called once an agent is there. It is written down, so that a restart forgets nobody.

use crate::CommandRefused;
use crate::call::{Call, has_line};
use crate::context::Context;
use crate::destinations::is_number;
use crate::engine::Engine;
use crate::outbound::{Who, is_emergency};
use acd::{EntryId, NotEntered, OfferId};
use base::Time;
use facts::{
    CallbackGivenUp, CallbackNow, CallbackOffer, CallbackPause, CallbackRequest, CallbackTry, Cause, End,
    FactKind, body_of, millis,
};
use ivr::CallBack;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// More are not waiting in all queues together.
const CALLBACKS_MAX: usize = 10_000;
/// How long one for which there is no room, in its queue or for its call, is kept back, in milliseconds.
const FULL_MS: u64 = 60_000;

/// Who will be called back, by the number of the fact that says so.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    list: BTreeMap<u64, Callback>,
    entries: BTreeMap<EntryId, u64>,
    /// When those who pause wait again.
    due: BTreeSet<(Time, u64)>,
    /// No agent is asked any more.
    closed: bool,
}

#[derive(Debug)]
struct Callback {
    now: CallbackNow,
    arrived: Time,
    /// In its queue; nothing while it pauses, or is being tried.
    entry: Option<EntryId>,
    /// That there is no room for it has been told: a want of room that lasts fills no log.
    told_full: bool,
    /// It is being tried: it has a call of its own, and an agent in it.
    tried: bool,
}

impl Callbacks {
    /// As [`facts::Snapshot`] shows them.
    pub(crate) fn now(&self) -> BTreeMap<u64, CallbackNow> {
        self.list.iter().map(|(id, callback)| (*id, callback.now.clone())).collect()
    }

    /// Whose this entry of a queue is, if it is a callback's.
    pub(crate) fn of_entry(&self, entry: EntryId) -> Option<u64> {
        self.entries.get(&entry).copied()
    }

    /// What is known of one that is not over.
    pub(crate) fn get(&self, id: u64) -> Option<&CallbackNow> {
        self.list.get(&id).map(|callback| &callback.now)
    }

    /// When the next one waits again.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    fn waiting_for(&self, queue: &str, number: &str) -> Option<(u64, &CallbackNow)> {
        let mut known = self.list.iter().map(|(id, callback)| (*id, &callback.now));
        known.find(|(_, now)| now.queue == queue && now.number == number)
    }

    fn remove(&mut self, id: u64) {
        let entry = self.list.remove(&id).and_then(|callback| callback.entry);
        if let Some(entry) = entry {
            self.entries.remove(&entry);
        }
        self.due.retain(|(_, due)| *due != id);
    }

    /// Its entry is out of the queue.
    fn leave(&mut self, id: u64) -> Option<EntryId> {
        let entry = self.list.get_mut(&id).and_then(|callback| callback.entry.take())?;
        self.entries.remove(&entry);
        Some(entry)
    }

    fn pause(&mut self, id: u64, until: Time) {
        self.due.insert((until, id));
    }
}

/// Somebody who dialled `dialled`, and has waited in that queue since `arrived`, wants to be called back. Gives what is
/// to be written down next; nothing if they cannot be: the number may not be called, or too many wait.
pub(crate) fn request(ctx: &mut Context, wish: CallBack, dialled: &str, arrived: Time) -> Option<FactKind> {
    let number = callable(ctx, &wish.queue, &wish.number)?;
    if let Some((id, now)) = ctx.callbacks.waiting_for(&wish.queue, &number) {
        return Some(FactKind::CallbackRequested(now.asked_again(id)));
    }
    if ctx.callbacks.list.len() >= CALLBACKS_MAX || !ctx.acd.has_room(&wish.queue) {
        return None;
    }
    let callback = ctx.ledger.head() + 1;
    let request = CallbackRequest {
        callback,
        queue: wish.queue,
        number,
        dialled: dialled.to_owned(),
        language: wish.language,
        topic: wish.topic,
        priority: wish.priority,
        tries: wish.tries,
        pause_ms: millis(wish.pause),
        waited_ms: millis(ctx.now.since(arrived)),
    };
    let now = CallbackNow::new(ctx.wall(), request.clone());
    ctx.callbacks
        .list
        .insert(callback, Callback { now, arrived, entry: None, told_full: false, tried: false });
    enqueue(ctx, callback);
    Some(FactKind::CallbackRequested(request))
}

/// The number in its normal form, if some agent of the queue may call it now or later. Help in danger calls nobody.
fn callable(ctx: &Context, queue: &str, text: &str) -> Option<String> {
    let number = ctx.config.numbering.home.normal(text);
    let name = number.as_str();
    let is_ours = ctx.config.services.contains_key(name) || ctx.config.has_account(name);
    let outside = is_number(name) && !is_ours && !is_emergency(&number) && !ctx.config.sip.trunks.is_empty();
    let mut agents = ctx.config.acd.agents.iter().filter(|agent| agent.queues.contains(queue));
    let opened = agents.any(|agent| ctx.outbound.opens(Who::Agent(&agent.name), &number));
    (outside && opened).then(|| name.to_owned())
}

fn enqueue(ctx: &mut Context, id: u64) {
    if ctx.callbacks.closed {
        return;
    }
    let entry = ctx.next_entry();
    let Some(Callback { now, arrived, entry: place, .. }) = ctx.callbacks.list.get_mut(&id) else { return };
    *place = Some(entry);
    let wanted = acd::Entry {
        id: entry,
        queue: now.queue.clone(),
        language: now.language.clone(),
        topic: now.topic.clone(),
        priority: now.priority,
        arrived: *arrived,
        is_callback: true,
        any_language_after: None,
        overflow_after: None,
        position_every: None,
    };
    ctx.callbacks.entries.insert(entry, id);
    ctx.acd(acd::Input::Enqueue(wanted));
}

/// Goes on with those of the time before, the first one first.
pub(crate) fn restore(ctx: &mut Context, past: BTreeMap<u64, CallbackNow>) {
    let mut past: Vec<(u64, CallbackNow)> = past.into_iter().collect();
    past.sort_by_key(|(id, now)| (now.since, *id));
    let wall = ctx.wall();
    for (place, (id, now)) in (0..).zip(past) {
        let until = now.pauses_ms.map(|millis| now.at + Duration::from_millis(millis));
        let left = until.map(|until| until.unix_micros().saturating_sub(wall.unix_micros()));
        let left = left.and_then(|left| u64::try_from(left).ok()).filter(|left| *left > 0);
        // Whoever comes from now on comes after them.
        let arrived = Time::from_micros(place).min(ctx.now);
        ctx.callbacks.list.insert(id, Callback { now, arrived, entry: None, told_full: false, tried: false });
        match left {
            Some(left) => ctx.callbacks.pause(id, ctx.now + Duration::from_micros(left)),
            None => enqueue(ctx, id),
        }
    }
}

/// The queue did not take it.
pub(crate) fn not_entered(ctx: &mut Context, id: u64, why: NotEntered) {
    ctx.callbacks.leave(id);
    match why {
        NotEntered::Full => put_off(ctx, id),
        NotEntered::NoSuchQueue | NotEntered::NobodyThere => give_up(ctx, id, Cause::QueueRemoved),
    }
}

/// There is no room for it now, whatever its agents do: nothing of this is theirs.
fn put_off(ctx: &mut Context, id: u64) {
    let told =
        ctx.callbacks.list.get_mut(&id).is_some_and(|known| std::mem::replace(&mut known.told_full, true));
    if told {
        if !ctx.callbacks.closed {
            ctx.callbacks.pause(id, ctx.now + Duration::from_millis(FULL_MS));
        }
        return;
    }
    if let Some(fact) = postpone(ctx, id, (Cause::Capacity, None), FULL_MS) {
        let body = ctx.callbacks.get(id).and_then(body);
        ctx.note_of(body, fact);
    }
}

/// It is left alone for so long. Gives what is to be written down.
fn postpone(ctx: &mut Context, id: u64, (cause, sip): (Cause, Option<u16>), for_ms: u64) -> Option<FactKind> {
    let (at, until) = (ctx.wall(), ctx.now + Duration::from_millis(for_ms));
    let callback = ctx.callbacks.list.get_mut(&id)?;
    (callback.now.pauses_ms, callback.now.at) = (Some(for_ms), at);
    let attempt = callback.now.attempts;
    if !ctx.callbacks.closed {
        ctx.callbacks.pause(id, until);
    }
    Some(FactKind::CallbackPostponed(CallbackPause { callback: id, attempt, cause, sip, for_ms }))
}

/// The configuration is another one: who waits for agents of a queue that it does not have waits no longer.
pub(crate) fn keep_queues(ctx: &mut Context) {
    let queues = &ctx.config.acd.queues;
    let is_there = |name: &str| queues.iter().any(|queue| queue.name == name);
    let waiting = ctx.callbacks.list.iter().filter(|(_, callback)| !callback.tried);
    let gone = waiting.filter(|(_, callback)| !is_there(&callback.now.queue)).map(|(id, _)| *id);
    let gone: Vec<u64> = gone.collect();
    for id in gone {
        let entry = ctx.callbacks.leave(id);
        give_up(ctx, id, Cause::QueueRemoved);
        if let Some(entry) = entry {
            ctx.acd(acd::Input::Withdraw(entry));
        }
    }
}

fn give_up(ctx: &mut Context, id: u64, cause: Cause) {
    let known = ctx.callbacks.get(id);
    let (attempts, body) = known.map_or((0, None), |now| (now.attempts, body(now)));
    ctx.callbacks.remove(id);
    let failed = CallbackGivenUp { callback: id, attempts, cause, sip: None };
    ctx.note_of(body, FactKind::CallbackFailed(failed));
}

/// Those whose pause is over wait for an agent again.
pub(crate) fn handle_timeout(ctx: &mut Context) {
    while let Some((at, id)) = ctx.callbacks.due.first().copied().filter(|(at, _)| *at <= ctx.now) {
        ctx.callbacks.due.remove(&(at, id));
        enqueue(ctx, id);
    }
}

/// No agent is asked for anybody any more: whoever takes over goes on with them.
pub(crate) fn close(ctx: &mut Context) {
    ctx.callbacks.closed = true;
    ctx.callbacks.due.clear();
    for entry in std::mem::take(&mut ctx.callbacks.entries).into_keys() {
        ctx.acd(acd::Input::Withdraw(entry));
    }
}

/// An agent is being asked.
pub(crate) fn offered(ctx: &mut Context, id: u64, agent: &str) -> Option<FactKind> {
    let callback = ctx.callbacks.list.get_mut(&id)?;
    (callback.now.pauses_ms, callback.told_full) = (None, false);
    let (queue, number) = (callback.now.queue.clone(), callback.now.number.clone());
    Some(FactKind::CallbackOffered(CallbackOffer { callback: id, queue, number, agent: agent.to_owned() }))
}

/// The agent is there. Nothing if it is not to be called any more.
pub(crate) fn attempted(ctx: &mut Context, id: u64, agent: &str) -> Option<FactKind> {
    ctx.callbacks.leave(id);
    let callback = ctx.callbacks.list.get_mut(&id)?;
    callback.tried = true;
    callback.now.attempts = callback.now.attempts.saturating_add(1);
    let attempt = callback.now.attempts;
    Some(FactKind::CallbackAttempted(CallbackTry { callback: id, attempt, agent: agent.to_owned() }))
}

/// The two talk.
pub(crate) fn completed(ctx: &mut Context, id: u64, agent: String) -> Option<FactKind> {
    let attempt = ctx.callbacks.get(id)?.attempts;
    ctx.callbacks.remove(id);
    Some(FactKind::CallbackCompleted(CallbackTry { callback: id, attempt, agent }))
}

/// They could not be brought together. One that our own end broke off is tried by whoever takes over.
pub(crate) fn failed(ctx: &mut Context, id: u64, end: &End) -> Option<FactKind> {
    let callback = ctx.callbacks.list.get_mut(&id).filter(|_| end.cause != Cause::ShuttingDown)?;
    callback.tried = false;
    let (attempts, cause, sip) = (callback.now.attempts, end.cause, end.sip);
    if attempts >= callback.now.tries {
        ctx.callbacks.remove(id);
        return Some(FactKind::CallbackFailed(CallbackGivenUp { callback: id, attempts, cause, sip }));
    }
    let for_ms = callback.now.pause_ms;
    postpone(ctx, id, (cause, sip), for_ms)
}

impl Engine {
    /// A client wants somebody called back no more. Not while they are being called: then their call can be ended.
    pub(crate) fn cancel_callback(&mut self, id: u64, by: String) -> Result<(), CommandRefused> {
        let ctx = &mut self.ctx;
        let callback = ctx.callbacks.list.get(&id).ok_or(CommandRefused::NotFound)?;
        if callback.tried {
            return Err(CommandRefused::InvalidState);
        }
        let body = body(&callback.now);
        let entry = ctx.callbacks.leave(id);
        ctx.callbacks.remove(id);
        ctx.note_of(body, FactKind::CallbackCancelled { callback: id, by });
        if let Some(entry) = entry {
            ctx.acd(acd::Input::Withdraw(entry));
        }
        Ok(())
    }

    /// An agent is to be asked to call somebody back: in a call of its own, if there is room for one and for the number's.
    pub(crate) fn offer_callback(
        &mut self,
        (id, entry): (u64, EntryId),
        offer: OfferId,
        agent: String,
        deadline: Time,
    ) {
        let now = self.ctx.callbacks.get(id).cloned();
        let now = now.filter(|now| self.takes_calls() && has_line(&mut self.ctx, &now.number));
        let key = now.and_then(|now| {
            self.calls.insert_with(|key| Call::calling_back(&mut self.ctx, key, (id, now), entry))
        });
        match key {
            Some(key) => {
                self.with_call(key, |call, ctx| call.offer_back(ctx, (entry, offer), agent, deadline))
            }
            None => {
                self.ctx.callbacks.leave(id);
                put_off(&mut self.ctx, id);
                self.ctx.acd(acd::Input::Withdraw(entry));
            }
        }
    }
}

/// Whose callers they are.
fn body(now: &CallbackNow) -> Option<String> {
    body_of(&now.queue).map(str::to_owned)
}
