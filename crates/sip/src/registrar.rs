//! The registrar of our accounts (RFC 3261 §10.3): who can be reached where, and until when.

use crate::gruu::{self, Device, Gruu, Seal};
use crate::message::{HeaderName, Message, NameAddr};
use crate::ua::{Contact, Event, Flow, Gone};
use crate::uri::{Host, Scheme, Uri};
use base::{Seed, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a registration lasts if the device does not say.
const EXPIRES_USUAL: u32 = 3_600;
/// Shorter ones are refused with 423: they cost more than they tell.
pub(crate) const EXPIRES_MIN: u32 = 60;
/// Longer ones are cut: a device that went without a word is to be missed.
const EXPIRES_MAX: u32 = 7_200;
/// The most proxies that may stand between us and a device.
const PATH_MAX: usize = 8;

/// The contacts of all accounts.
#[derive(Debug)]
pub(crate) struct Registrar {
    bindings: BTreeMap<Box<str>, Bindings>,
    deadlines: BTreeSet<(Time, Box<str>)>,
    /// Who has a contact on each flow.
    flows: BTreeSet<(Flow, Box<str>)>,
    /// Whose the registrations are that temporary GRUUs name.
    numbers: BTreeMap<u64, Box<str>>,
    last_number: u64,
    seal: Seal,
    contacts_max: usize,
}

/// One account's contacts, and beside each the request that made it.
#[derive(Clone, Debug, Default)]
struct Bindings {
    contacts: Vec<Contact>,
    orders: Vec<Order>,
}

/// The Call-ID and CSeq of the last REGISTER of a contact (§10.3 step 7), the device's lasting name (RFC 5626
/// §4.1) if it has one, and what was agreed with it.
#[derive(Clone, Debug)]
struct Order {
    call_id: Box<str>,
    cseq: u32,
    instance: Option<Box<str>>,
    /// Which of the device's flows it is (RFC 5626 §4.2), if it keeps several.
    reg_id: Option<u32>,
    /// In thousandths (RFC 3261 §20.10).
    q: u16,
    /// The device knows of GRUUs (RFC 5627 §4.1).
    gruu: bool,
    /// Rises with each REGISTER: the contact with the highest is the newest.
    made: u64,
    /// The registration that temporary GRUUs name: of one device by one Call-ID, as long as it has a contact.
    number: u64,
}

/// The answer to a REGISTER.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// 200 with these Contact values.
    Done(Vec<String>),
    /// 423 with Min-Expires.
    TooBrief,
    /// 400: Contact cannot be read, or `*` is not alone or not with Expires 0.
    Malformed,
    /// 500: an older request than the one that made the contact (§10.3 step 7).
    OutOfOrder,
    /// 403: the contact is our own name for whoever registers it: a loop (RFC 5627 §5.1).
    Loop,
    /// 439: the device wants to be reached by this flow, but it ends at a proxy that does not keep it
    /// (RFC 5626 §6).
    FirstHop,
    /// 503: more contacts than one account may have.
    Full,
}

/// One Contact of a REGISTER.
struct Asked<'a> {
    contact: NameAddr<'a>,
    expires: u32,
}

impl Registrar {
    pub(crate) fn new(contacts_max: usize, seed: Seed) -> Registrar {
        Registrar {
            bindings: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            flows: BTreeSet::new(),
            numbers: BTreeMap::new(),
            last_number: 0,
            seal: Seal::new(seed),
            contacts_max,
        }
    }

    /// The living contacts of an account: the one to be called first is the last, by its q and then by its age.
    pub(crate) fn contacts(&self, user: &str) -> &[Contact] {
        self.bindings.get(user).map_or(&[], |bindings| &bindings.contacts)
    }

    /// The device that a GRUU names: nothing if it is not registered, or a temporary one is not worth anything any
    /// more.
    pub(crate) fn device(&self, gruu: &Gruu) -> Option<Device> {
        let (user, number): (&str, _) = match gruu {
            Gruu::Public { user, .. } => (user, None),
            Gruu::Temporary { sealed } => {
                let number = self.seal.open(sealed)?;
                (self.numbers.get(&number)?, Some(number))
            }
        };
        let order = self.bindings.get(user)?.orders.iter().find(|order| match gruu {
            Gruu::Public { name, .. } => order.is_named(name),
            Gruu::Temporary { .. } => Some(order.number) == number,
        })?;
        Some(Device { user: user.to_owned(), instance: order.instance.as_deref()?.to_owned() })
    }

    /// Where a device is: its contact by the flow that is preferred, if it has one, or its newest (RFC 5627 §6.1; of
    /// several flows any may be taken, RFC 5626 §5.3).
    pub(crate) fn contact_of(&self, device: &Device, preferred: Option<Flow>) -> Option<&Contact> {
        let Bindings { contacts, orders } = self.bindings.get(device.user.as_str())?;
        let pairs = contacts.iter().zip(orders);
        let its = pairs.filter(|(_, order)| order.instance.as_deref() == Some(&device.instance));
        let rank = |(contact, order): &(&Contact, &Order)| (Some(contact.flow) == preferred, order.made);
        its.max_by_key(rank).map(|(contact, _)| contact)
    }

    /// The flow of a contact, and those by which the same device registered the same address, the newest first. What
    /// else a proxy of theirs leads to is not known.
    pub(crate) fn flows_to(&self, user: &str, contact: &Contact) -> Vec<Flow> {
        let mut flows = vec![contact.flow];
        let Some(Bindings { contacts, orders }) = self.bindings.get(user) else { return flows };
        let pairs = || contacts.iter().zip(orders);
        let device = |order: &Order| order.instance.clone().filter(|_| order.reg_id.is_some());
        let Some(own) = pairs().find(|(it, _)| *it == contact).and_then(|(_, order)| device(order)) else {
            return flows;
        };
        let same = |it: &Contact| it.flow != contact.flow && it.uri == contact.uri && it.path == contact.path;
        let mut others: Vec<_> =
            pairs().filter(|(it, order)| same(it) && device(order).as_ref() == Some(&own)).collect();
        others.sort_by_key(|(_, order)| std::cmp::Reverse(order.made));
        flows.extend(others.into_iter().map(|(it, _)| it.flow));
        flows
    }

    /// How many contacts there are.
    pub(crate) fn len(&self) -> usize {
        self.bindings.values().map(|bindings| bindings.contacts.len()).sum()
    }

    /// Whether some account's device is at the other end of this flow.
    pub(crate) fn knows(&self, flow: Flow) -> bool {
        self.users_at(flow).next().is_some()
    }

    /// Whether a device of this account is at the other end of this flow.
    pub(crate) fn is_at(&self, user: &str, flow: Flow) -> bool {
        self.users_at(flow).any(|at| **at == *user)
    }

    fn users_at(&self, flow: Flow) -> impl Iterator<Item = &Box<str>> {
        let first: (Flow, Box<str>) = (flow, "".into());
        self.flows.range(first..).take_while(move |(at, _)| *at == flow).map(|(_, user)| user)
    }

    /// Takes a REGISTER of an account that proved who it is. All of its contacts are taken, or none.
    pub(crate) fn register(
        &mut self,
        now: Time,
        user: &str,
        request: &Message,
        flow: Flow,
        realm: &str,
    ) -> (Verdict, Vec<Event>) {
        if wants_outbound(request) && !first_hop_keeps_flows(request) {
            return (Verdict::FirstHop, Vec::new());
        }
        if supports(request, "gruu") && names_itself(request, realm) {
            return (Verdict::Loop, Vec::new());
        }
        let mut bindings = self.bindings.get(user).cloned().unwrap_or_default();
        let mut events = Vec::new();
        let was_there = !bindings.contacts.is_empty();
        let outcome = match wanted(request) {
            Ok(Wanted::Query) => Ok(()),
            Ok(Wanted::RemoveAll) => bindings.remove_all(request),
            Ok(Wanted::Contacts(asked)) => {
                bindings.bind_all(now, user, request, flow, &asked, self.contacts_max, &mut events)
            }
            Err(verdict) => Err(verdict),
        };
        if let Err(verdict) = outcome {
            return (verdict, Vec::new());
        }
        if was_there && bindings.contacts.is_empty() {
            events.push(Event::Unregistered { user: user.to_owned(), why: Gone::ByDevice });
        }
        bindings.number(&mut self.last_number);
        let domain = Some(realm).filter(|realm| supports(request, "gruu") && Host::parse(realm).is_some());
        let pairs = bindings.contacts.iter().zip(&bindings.orders);
        let listed = pairs.map(|(contact, order)| {
            listed(now, contact, order)
                + &domain.map_or(String::new(), |at| self.gruus(user, at, contact, order))
        });
        let listed = listed.collect();
        self.put(user, bindings);
        (Verdict::Done(listed), events)
    }

    /// What a device is told of its GRUUs: the public one, and a temporary one that nobody has seen before.
    fn gruus(&mut self, user: &str, domain: &str, contact: &Contact, order: &Order) -> String {
        let Some(instance) = order.instance.as_deref().filter(|_| order.gruu) else { return String::new() };
        let secure = Uri::parse(&contact.uri).is_ok_and(|uri| uri.scheme() == Scheme::Sips);
        let scheme = if secure { "sips" } else { "sip" };
        let mut told = format!(";pub-gruu=\"{}\"", gruu::public(scheme, user, domain, instance));
        if let Some(sealed) = self.seal.close(order.number) {
            told += &format!(";temp-gruu=\"{}\"", gruu::temporary(scheme, &sealed, domain));
        }
        told
    }

    /// A stream broke: what was registered by it cannot be reached any more.
    pub(crate) fn flow_failed(&mut self, flow: Flow) -> Vec<Event> {
        if !flow.transport.is_stream() {
            return Vec::new();
        }
        let users: Vec<Box<str>> = self.users_at(flow).cloned().collect();
        let lost = |contact: &Contact| contact.flow == flow;
        users.iter().filter_map(|user| self.remove(user, lost, Gone::FlowLost)).collect()
    }

    /// Accounts that are no more lose their contacts.
    pub(crate) fn keep_only(&mut self, known: impl Fn(&str) -> bool) -> Vec<Event> {
        let gone: Vec<Box<str>> = self.bindings.keys().filter(|user| !known(user)).cloned().collect();
        gone.iter().filter_map(|user| self.remove(user, |_| true, Gone::Expired)).collect()
    }

    /// When the next contact runs out.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Forgets the contacts that ran out.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> Vec<Event> {
        let due = |(at, _): &&(Time, Box<str>)| *at <= now;
        let users: Vec<Box<str>> =
            self.deadlines.iter().take_while(due).map(|(_, user)| user.clone()).collect();
        let old = |contact: &Contact| contact.until <= now;
        users.iter().filter_map(|user| self.remove(user, old, Gone::Expired)).collect()
    }

    /// Removes some of an account's contacts. The event is there if they were its last.
    fn remove(&mut self, user: &str, which: impl Fn(&Contact) -> bool, why: Gone) -> Option<Event> {
        let mut bindings = self.bindings.get(user)?.clone();
        bindings.retain(|contact| !which(contact));
        let (was_there, is_gone) = (!self.contacts(user).is_empty(), bindings.contacts.is_empty());
        self.put(user, bindings);
        (was_there && is_gone).then(|| Event::Unregistered { user: user.to_owned(), why })
    }

    fn put(&mut self, user: &str, bindings: Bindings) {
        if let Some(before) = self.bindings.remove(user) {
            before.deadline().map(|at| self.deadlines.remove(&(at, user.into())));
            for contact in &before.contacts {
                self.flows.remove(&(contact.flow, user.into()));
            }
            for order in &before.orders {
                self.numbers.remove(&order.number);
            }
        }
        if let Some(at) = bindings.deadline() {
            self.deadlines.insert((at, user.into()));
            self.flows.extend(bindings.contacts.iter().map(|contact| (contact.flow, user.into())));
            self.numbers.extend(bindings.orders.iter().map(|order| (order.number, user.into())));
            self.bindings.insert(user.into(), bindings);
        }
    }
}

impl Bindings {
    fn deadline(&self) -> Option<Time> {
        self.contacts.iter().map(|contact| contact.until).min()
    }

    fn retain(&mut self, keep: impl Fn(&Contact) -> bool) {
        let kept: Vec<bool> = self.contacts.iter().map(keep).collect();
        let mut each = kept.iter();
        self.contacts.retain(|_| each.next().is_some_and(|kept| *kept));
        let mut each = kept.iter();
        self.orders.retain(|_| each.next().is_some_and(|kept| *kept));
    }

    fn remove_all(&mut self, request: &Message) -> Result<(), Verdict> {
        if self.orders.iter().any(|order| order.is_newer_than(request)) {
            return Err(Verdict::OutOfOrder);
        }
        self.contacts.clear();
        self.orders.clear();
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one REGISTER, and where its events go")]
    fn bind_all(
        &mut self,
        now: Time,
        user: &str,
        request: &Message,
        flow: Flow,
        asked: &[Asked<'_>],
        limit: usize,
        events: &mut Vec<Event>,
    ) -> Result<(), Verdict> {
        for Asked { contact, expires } in asked {
            let known = self.position(contact, request);
            if known.and_then(|at| self.orders.get(at)).is_some_and(|order| order.is_newer_than(request)) {
                return Err(Verdict::OutOfOrder);
            }
            let before = known.map(|at| {
                self.contacts.remove(at);
                self.orders.remove(at)
            });
            if *expires == 0 {
                continue;
            }
            if self.contacts.len() >= limit {
                return Err(Verdict::Full);
            }
            let mut order = Order::of(request, contact);
            order.number = before.filter(|before| before.is_same(&order)).map_or(0, |before| before.number);
            let contact = Contact {
                uri: contact.uri.to_owned(),
                flow,
                user_agent: request.header(HeaderName::UserAgent).unwrap_or("").chars().take(128).collect(),
                until: now + Duration::from_secs((*expires).into()),
                path: path_of(request),
            };
            // The best last, and of equals the newest.
            let at = self.orders.partition_point(|known| known.q <= order.q);
            self.orders.insert(at, order);
            self.contacts.insert(at, contact.clone());
            events.push(Event::Registered { user: user.to_owned(), contact, new: known.is_none() });
        }
        Ok(())
    }

    /// Numbers what a REGISTER has made. A new Call-ID is a new registration, and what the old one's temporary GRUUs
    /// name is gone with its last contact (RFC 5627 §3.1.2).
    fn number(&mut self, last: &mut u64) {
        for at in 0..self.orders.len() {
            let Some(order) = self.orders.get(at).filter(|order| order.made == 0) else { continue };
            let same = self.orders.iter().find(|known| known.number > 0 && known.is_same(order));
            let number = same.map(|known| known.number);
            *last += 1;
            if let Some(order) = self.orders.get_mut(at) {
                (order.made, order.number) = (*last, number.unwrap_or(*last));
            }
        }
    }

    /// The contact that this one takes the place of: the same URI (§19.1.4), or one that the same device
    /// made by another request for the same of its flows.
    fn position(&self, contact: &NameAddr<'_>, request: &Message) -> Option<usize> {
        let uri = Uri::parse(contact.uri).ok()?;
        let instance = contact.param("+sip.instance");
        let flow = reg_id_of(request, contact);
        let same_uri = |known: &Contact| Uri::parse(&known.uri).is_ok_and(|known| known == uri);
        let same_device = |order: &Order| {
            let same_flow = order.reg_id == flow && (flow.is_some() || !order.is_of(request));
            instance.is_some() && order.instance.as_deref() == instance && same_flow
        };
        let mut pairs = self.contacts.iter().zip(&self.orders);
        // Several flows of one device may well have one URI (RFC 5626 §4.2).
        pairs.position(|(known, order)| {
            same_device(order) || (same_uri(known) && (flow.is_none() || order.reg_id.is_none()))
        })
    }
}

impl Order {
    fn of(request: &Message, contact: &NameAddr<'_>) -> Order {
        let instance = contact.param("+sip.instance").filter(|instance| !instance.is_empty());
        Order {
            call_id: request.call_id().unwrap_or("").into(),
            cseq: request.cseq().map_or(0, |(number, _)| number),
            instance: instance.map(Into::into),
            reg_id: reg_id_of(request, contact),
            q: contact.param("q").map_or(1_000, thousandths),
            gruu: instance.is_some_and(gruu::is_name) && supports(request, "gruu"),
            made: 0,
            number: 0,
        }
    }

    /// Whether both are of one device and by one Call-ID.
    fn is_same(&self, other: &Order) -> bool {
        self.instance == other.instance && self.call_id == other.call_id
    }

    /// Whether it is of the device with this name. Those of most are URNs, of which case says nothing (RFC 8141 §3).
    fn is_named(&self, name: &str) -> bool {
        self.instance.as_deref().is_some_and(|instance| gruu::name_of(instance).eq_ignore_ascii_case(name))
    }

    fn is_of(&self, request: &Message) -> bool {
        let cseq = request.cseq().map_or(0, |(number, _)| number);
        request.call_id() == Ok(&self.call_id) && self.cseq == cseq
    }

    fn is_newer_than(&self, request: &Message) -> bool {
        let cseq = request.cseq().map_or(0, |(number, _)| number);
        request.call_id() == Ok(&self.call_id) && self.cseq >= cseq
    }
}

enum Wanted<'a> {
    /// No Contact: which are there?
    Query,
    /// `*` with Expires 0.
    RemoveAll,
    Contacts(Vec<Asked<'a>>),
}

fn wanted(request: &Message) -> Result<Wanted<'_>, Verdict> {
    let header = request.header(HeaderName::Expires).map(|_| request.expires().unwrap_or(EXPIRES_USUAL));
    let mut asked = Vec::new();
    for contact in request.contacts() {
        let contact = contact.map_err(|_| Verdict::Malformed)?;
        if contact.uri == "*" {
            let alone = request.contacts().count() == 1;
            return if alone && header == Some(0) { Ok(Wanted::RemoveAll) } else { Err(Verdict::Malformed) };
        }
        Uri::parse(contact.uri).map_err(|_| Verdict::Malformed)?;
        // RFC 3261 §10.2.1.1: the parameter before the header; what is no number counts as 3600 (§20.10).
        let own = contact.param("expires").map(|text| text.parse().unwrap_or(EXPIRES_USUAL));
        let expires = own.or(header).unwrap_or(EXPIRES_USUAL);
        if (1..EXPIRES_MIN).contains(&expires) {
            return Err(Verdict::TooBrief);
        }
        asked.push(Asked { contact, expires: expires.min(EXPIRES_MAX) });
    }
    Ok(if asked.is_empty() { Wanted::Query } else { Wanted::Contacts(asked) })
}

fn listed(now: Time, contact: &Contact, order: &Order) -> String {
    // A part of a second counts as a whole one, so that nobody is told 0 while it lasts.
    let left = (contact.until.since(now).as_micros().div_ceil(1_000_000)).max(1);
    let mut listed = format!("<{}>;expires={left}", contact.uri);
    if let Some(reg_id) = order.reg_id {
        listed += &format!(";reg-id={reg_id}");
    }
    if let Some(instance) = &order.instance {
        listed += &format!(";+sip.instance=\"{instance}\"");
    }
    listed
}

/// Whether a contact is the address that it is registered for, or a GRUU of ours.
fn names_itself(request: &Message, realm: &str) -> bool {
    let to = request.to().ok().and_then(|to| Uri::parse(to.uri).ok());
    request.contacts().filter_map(Result::ok).filter_map(|contact| contact.parse_uri().ok()).any(|uri| {
        let ours = gruu::is_of(&uri, realm) && Gruu::of(&uri).is_some();
        ours || to.is_some_and(|to| to == uri)
    })
}

/// The option tags that a device says it understands.
fn supports(request: &Message, tag: &str) -> bool {
    request.list(HeaderName::Supported).any(|known| known.eq_ignore_ascii_case(tag))
}

/// Whether a REGISTER names one of several flows of a device that keeps them (RFC 5626 §4.2.1).
pub(crate) fn wants_outbound(request: &Message) -> bool {
    request.contacts().filter_map(Result::ok).any(|contact| reg_id_of(request, &contact).is_some())
}

fn reg_id_of(request: &Message, contact: &NameAddr<'_>) -> Option<u32> {
    let named = contact.param("+sip.instance").is_some() && supports(request, "outbound");
    contact.param("reg-id")?.parse().ok().filter(|reg_id| *reg_id > 0 && named)
}

/// RFC 5626 §6: the device itself is at the other end of this flow, or the proxy that is keeps it.
fn first_hop_keeps_flows(request: &Message) -> bool {
    let direct = request.vias().count() == 1;
    let last = request.list(HeaderName::Path).last().and_then(|path| NameAddr::parse(path).ok());
    direct || last.is_some_and(|path| path.parse_uri().is_ok_and(|uri| uri.param("ob").is_some()))
}

/// The proxies by which the device wants to be reached, the nearest to us first (RFC 3327 §5.3).
fn path_of(request: &Message) -> Vec<String> {
    request.list(HeaderName::Path).take(PATH_MAX).map(str::to_owned).collect()
}

/// A q of at most three decimals, in thousandths; what is none counts as the best.
fn thousandths(q: &str) -> u16 {
    let (whole, part) = q.split_once('.').unwrap_or((q, ""));
    let part = format!("{part:0<3}");
    match (whole, part.len(), part.parse::<u16>()) {
        ("0", 3, Ok(part)) => part,
        _ => 1_000,
    }
}
