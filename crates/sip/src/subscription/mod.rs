//! The notifier's side of SUBSCRIBE and NOTIFY (RFC 6665): accounts watch whether colleagues are in a call
//! (`dialog`, RFC 4235) and how many messages wait for them (`message-summary`, RFC 3842).
//!
//! Each subscription has one NOTIFY on its way at most; what changes meanwhile is told by the next, which
//! always holds the whole state. A NOTIFY that is not taken ends its subscription.

mod packages;

pub(crate) use packages::{Package, State};

use crate::message::{HeaderName, Message};
use crate::session::Dialog;
use crate::transaction::{TransactionId, User};
use crate::ua::Flow;
use crate::ua::wire::Wire;
use base::{Key, Slots, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a subscription lasts if the subscriber does not say, and at most.
pub(crate) const EXPIRES_MAX: u32 = 3_600;
/// Shorter ones are refused with 423.
pub(crate) const EXPIRES_MIN: u32 = 60;
/// The most at a time, and the most of one account.
const LIMIT: usize = 20_000;
const OF_ONE_MAX: usize = 128;

/// The key of a subscription.
pub(crate) type SubscriptionId = Key<Subscription>;

/// All subscriptions, and what they tell of.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    places: Slots<Subscription>,
    /// By whom they are about, and by who asked: a call must not look at all of them to find its few.
    watchers: BTreeSet<(Package, String, SubscriptionId)>,
    askers: BTreeSet<(String, SubscriptionId)>,
    /// Local tags are ours and random.
    tags: BTreeMap<Box<str>, SubscriptionId>,
    /// Those that came by a stream.
    streams: BTreeSet<(Flow, SubscriptionId)>,
    deadlines: BTreeSet<(Time, SubscriptionId)>,
    /// By package and account; who is not here does nothing and has no messages.
    states: BTreeMap<(Package, String), State>,
}

/// One subscriber's view of one account.
#[derive(Debug)]
pub(crate) struct Subscription {
    dialog: Dialog,
    package: Package,
    /// Whom it is about.
    about: String,
    /// Who asked.
    by: String,
    /// The `id` of Event, which each NOTIFY repeats.
    event_id: Option<String>,
    until: Time,
    version: u32,
    notify: Option<TransactionId>,
    /// Something is to be told.
    news: bool,
    /// The last NOTIFY is this one, or has been sent.
    over: bool,
}

/// A SUBSCRIBE that has been looked at.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) package: Package,
    pub(crate) about: String,
    pub(crate) by: String,
    pub(crate) seconds: u32,
}

impl Subscriptions {
    pub(crate) fn new() -> Subscriptions {
        Subscriptions {
            places: Slots::new(LIMIT),
            watchers: BTreeSet::new(),
            askers: BTreeSet::new(),
            tags: BTreeMap::new(),
            streams: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            states: BTreeMap::new(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether this account may have one more.
    pub(crate) fn has_room_for(&self, by: &str) -> bool {
        let [first, last] = all_ids().map(|id| (by.to_owned(), id));
        self.places.len() < LIMIT && self.askers.range(first..=last).count() < OF_ONE_MAX
    }

    /// Takes a SUBSCRIBE outside of dialogs: 200, and the first NOTIFY at once.
    pub(crate) fn subscribe(
        &mut self,
        wire: &mut Wire,
        now: Time,
        (transaction, request, flow): (TransactionId, &Message, Flow),
        wanted: Wanted,
    ) {
        let Some(dialog) = Dialog::of_invite(wire, request, flow, true) else {
            let tag = wire.tag_for(request);
            let answer = wire.answer(request, flow, 400, &tag);
            return wire.reply(now, transaction, 400, answer);
        };
        let tag = dialog.local_tag.clone();
        accept(wire, now, (transaction, request, flow), &dialog, wanted.seconds);
        let subscription = Subscription {
            dialog,
            package: wanted.package,
            about: wanted.about,
            by: wanted.by,
            event_id: event_id(request),
            until: now + Duration::from_secs(wanted.seconds.into()),
            version: 0,
            notify: None,
            news: true,
            over: wanted.seconds == 0,
        };
        let (until, flow) = (subscription.until, subscription.dialog.flow);
        let (package, about, by) = (wanted.package, subscription.about.clone(), subscription.by.clone());
        let Ok(id) = self.places.insert(subscription) else { return };
        self.watchers.insert((package, about, id));
        self.askers.insert((by, id));
        self.tags.insert(tag, id);
        self.streams.extend(stream_of(flow, id));
        self.deadlines.insert((until, id));
        self.notify(wire, now, id);
    }

    /// The subscription that a request within a dialog is about.
    pub(crate) fn find(&self, request: &Message) -> Option<SubscriptionId> {
        let id = *self.tags.get(request.to().ok()?.tag()?)?;
        self.places.get(id)?.dialog.is_of(request).then_some(id)
    }

    /// A SUBSCRIBE in the subscription's dialog: refreshed, or ended with its last NOTIFY. False if the request
    /// is older than one before (500).
    pub(crate) fn refresh(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: SubscriptionId,
        (transaction, request, flow): (TransactionId, &Message, Flow),
        seconds: u32,
    ) {
        let Some(it) = self.places.get_mut(id) else { return };
        if !it.dialog.counts(request) {
            let answer = wire.answer(request, flow, 500, &it.dialog.local_tag);
            return wire.reply(now, transaction, 500, answer);
        }
        self.streams.remove(&(it.dialog.flow, id));
        it.dialog.flow = flow;
        it.dialog.retarget(wire, request);
        self.streams.extend(stream_of(it.dialog.flow, id));
        accept(wire, now, (transaction, request, flow), &it.dialog, seconds);
        self.deadlines.remove(&(it.until, id));
        it.until = now + Duration::from_secs(seconds.into());
        (it.news, it.over) = (true, it.over || seconds == 0);
        self.deadlines.insert((it.until, id));
        self.notify(wire, now, id);
    }

    /// Something changed: whoever watches it is told.
    pub(crate) fn publish(&mut self, wire: &mut Wire, now: Time, about: &str, state: State) {
        let package = state.package();
        let key = (package, about.to_owned());
        let before = match state.is_nothing() {
            true => self.states.remove(&key),
            false => self.states.insert(key, state),
        };
        if before == Some(state) || (before.is_none() && state.is_nothing()) {
            return;
        }
        let [first, last] = all_ids().map(|id| (package, about.to_owned(), id));
        let ids: Vec<SubscriptionId> = self.watchers.range(first..=last).map(|(.., id)| *id).collect();
        for id in ids {
            if let Some(it) = self.places.get_mut(id) {
                it.news = true;
            }
            self.notify(wire, now, id);
        }
    }

    /// A NOTIFY was answered. One that is not taken ends its subscription (RFC 6665 §4.2.2).
    pub(crate) fn response(&mut self, wire: &mut Wire, now: Time, id: SubscriptionId, response: &Message) {
        let status = response.status().unwrap_or(0);
        let Some(it) = self.places.get_mut(id).filter(|_| status >= 200) else { return };
        it.notify = None;
        if !(200..300).contains(&status) || (it.over && !it.news) {
            return self.forget(id);
        }
        self.notify(wire, now, id);
    }

    /// A NOTIFY came to nothing.
    pub(crate) fn failed(&mut self, id: SubscriptionId) {
        self.forget(id);
    }

    /// A stream broke: whoever watched by it cannot be told any more, and subscribes anew by another.
    pub(crate) fn flow_failed(&mut self, flow: Flow) {
        let [first, last] = all_ids().map(|id| (flow, id));
        let ids: Vec<SubscriptionId> = self.streams.range(first..=last).map(|(_, id)| *id).collect();
        for id in ids {
            self.forget(id);
        }
    }

    /// Accounts that are no more watch nobody, and are watched by nobody.
    pub(crate) fn keep_only(&mut self, wire: &mut Wire, now: Time, known: impl Fn(&str) -> bool) {
        self.states.retain(|(_, about), _| known(about));
        let gone = self.places.iter().filter(|(_, it)| !known(&it.by) || !known(&it.about));
        let ids: Vec<SubscriptionId> = gone.map(|(id, _)| id).collect();
        for id in ids {
            self.end(wire, now, id);
        }
    }

    /// When the next one runs out.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Ends what ran out, with a last NOTIFY.
    pub(crate) fn handle_timeout(&mut self, wire: &mut Wire, now: Time) {
        while let Some((at, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, id));
            self.end(wire, now, id);
        }
    }

    fn end(&mut self, wire: &mut Wire, now: Time, id: SubscriptionId) {
        if let Some(it) = self.places.get_mut(id).filter(|it| !it.over) {
            (it.over, it.news) = (true, true);
            self.notify(wire, now, id);
        }
    }

    /// Tells what is news, unless a NOTIFY is on its way.
    fn notify(&mut self, wire: &mut Wire, now: Time, id: SubscriptionId) {
        let Some(it) = self.places.get_mut(id).filter(|it| it.news && it.notify.is_none()) else { return };
        let state = self.states.get(&(it.package, it.about.clone())).copied();
        let entity = format!("sip:{}@{}", it.about, wire.config.realm);
        let body = it.package.body(state, &entity, it.version);
        let left = it.until.since(now).as_secs();
        let standing =
            if it.over { "terminated;reason=timeout".into() } else { format!("active;expires={left}") };
        let event = match &it.event_id {
            Some(event_id) => format!("{};id={event_id}", it.package.name()),
            None => it.package.name().to_owned(),
        };
        let contact = it.dialog.contact(wire);
        self.streams.remove(&(it.dialog.flow, id));
        let (writer, flow, branch) = it.dialog.request(wire, "NOTIFY");
        self.streams.extend(stream_of(it.dialog.flow, id));
        let writer = writer
            .header("Contact", contact)
            .header("Event", event)
            .header("Subscription-State", standing)
            .body(it.package.media_type(), body);
        it.version += 1;
        it.news = false;
        it.notify = wire.request(now, flow, User::Subscription(id), &branch, writer);
        if it.notify.is_none() {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: SubscriptionId) {
        let Some(it) = self.places.remove(id) else { return };
        self.watchers.remove(&(it.package, it.about, id));
        self.askers.remove(&(it.by, id));
        self.tags.remove(&it.dialog.local_tag);
        self.streams.remove(&(it.dialog.flow, id));
        self.deadlines.remove(&(it.until, id));
        let most = self.places.len();
        debug_assert!(self.watchers.len() == most && self.askers.len() == most && self.tags.len() == most);
        debug_assert!(self.streams.len() <= most && self.deadlines.len() <= most);
    }
}

/// How long a SUBSCRIBE wants to watch: 0 ends it. Nothing if that is too brief (423).
pub(crate) fn seconds_of(request: &Message) -> Option<u32> {
    let seconds = request.expires().unwrap_or(EXPIRES_MAX).min(EXPIRES_MAX);
    (!(1..EXPIRES_MIN).contains(&seconds)).then_some(seconds)
}

/// Below and above the ids of all subscriptions.
fn all_ids() -> [SubscriptionId; 2] {
    [Key::from_number(0), Key::from_number(u64::MAX)]
}

/// What of a subscription is to be found when a stream breaks.
fn stream_of(flow: Flow, id: SubscriptionId) -> Option<(Flow, SubscriptionId)> {
    flow.transport.is_stream().then_some((flow, id))
}

fn event_id(request: &Message) -> Option<String> {
    let (_, params) = request.header(HeaderName::Event)?.split_once(';')?;
    crate::message::Params::of(params).get("id").map(str::to_owned)
}

fn accept(
    wire: &mut Wire,
    now: Time,
    (transaction, request, flow): (TransactionId, &Message, Flow),
    dialog: &Dialog,
    seconds: u32,
) {
    let contact = dialog.contact(wire);
    let answer = wire
        .answer(request, flow, 200, &dialog.local_tag)
        .headers_of(request, HeaderName::RecordRoute)
        .header("Contact", contact)
        .header("Expires", seconds);
    wire.reply(now, transaction, 200, answer);
}
