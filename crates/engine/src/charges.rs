//! What calls outside are taken to cost and, once they are over, did: the memory that the limits of `[[outbound]]` look
//! at. It is written down, so that a restart forgets nothing.

use crate::context::Context;
use base::{Time, Wall};
use facts::{Cause, ChargeNow, End, FactKind, Side};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What a call is taken to cost when it begins: so many minutes. Waiting for its end would let a hundred calls
/// begin before the first is counted.
const MINUTES: u64 = 10;
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
/// Calls that are remembered for a limit: none is set higher.
pub const CALLS_MAX: u32 = 10_000;
/// How often a conversation that takes longer than was thought is held against its rule's ceiling.
const LOOK: Duration = Duration::from_secs(5);

/// A call that a rule let through, and that is not over. Whoever has it settles it once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    rule: String,
    /// The number of the fact that says so.
    allowed: u64,
    /// It is help in danger, which no limit breaks off.
    urgent: bool,
    /// Once the two speak.
    limits: Option<Limits>,
}

/// When a conversation is broken off.
#[derive(Debug, PartialEq, Eq)]
struct Limits {
    /// It has taken the longest that its rule allowed when it began.
    longest: Duration,
    over: Time,
    /// When the ceiling is looked at next: not before what was thought of at the beginning is used up.
    look: Time,
}

impl Charge {
    /// Of the call that the fact of this number let through.
    pub(crate) fn new(rule: String, allowed: u64, urgent: bool) -> Charge {
        Charge { rule, allowed, urgent, limits: None }
    }

    /// When it is to be asked whether the conversation is [`broken_off`].
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.limits.as_ref().map(|limits| limits.over.min(limits.look))
    }
}

/// One call that was let through.
#[derive(Clone, Debug)]
struct Made {
    allowed: u64,
    by: String,
    /// Until when it counts for an hour's limit, and for a day's.
    hour: Time,
    day: Time,
    /// Thousandths of a cent: an estimate, or what it cost.
    cost: u64,
    /// Thousandths of a cent a minute.
    price: u64,
    /// Since when the two speak, if they do.
    answered: Option<Time>,
}

impl Made {
    /// One that goes on costs more than was thought as soon as it takes longer.
    fn cost(&self, now: Time) -> u64 {
        self.answered.map_or(self.cost, |since| self.cost.max(cost_of(self.price, now.since(since))))
    }
}

/// The calls that one rule let through, the first one first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made24h(VecDeque<Made>);

impl Made24h {
    /// Forgets those of more than a day ago that are over.
    pub(crate) fn forget(&mut self, now: Time) {
        self.0.retain(|made| now < made.day || made.answered.is_some());
    }

    /// How many within the hour, of all or of one.
    pub(crate) fn within_hour(&self, now: Time, one: Option<&str>) -> usize {
        let recent = self.0.iter().filter(|made| now < made.hour);
        recent.filter(|made| one.is_none_or(|one| one == made.by)).count()
    }

    /// Thousandths of a cent.
    pub(crate) fn spent(&self, now: Time) -> u64 {
        self.0.iter().fold(0, |sum, made| sum.saturating_add(made.cost(now)))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= CALLS_MAX as usize
    }

    /// Whether the one that would make room for another still counts for an hour's limit.
    pub(crate) fn first_is_recent(&self, now: Time) -> bool {
        self.0.front().is_some_and(|made| now < made.hour)
    }

    /// Counts a call at this price a minute, as the fact of this number says; gives the estimate.
    pub(crate) fn count(&mut self, now: Time, allowed: u64, by: &str, price: u64) -> u64 {
        let cost = estimate(price);
        let (hour, day) = (now + HOUR, now + DAY);
        self.push(Made { allowed, by: by.to_owned(), hour, day, cost, price, answered: None });
        cost
    }

    fn push(&mut self, made: Made) {
        // No limit needs it, or the call would have been denied.
        if self.is_full() {
            self.0.pop_front();
        }
        self.0.push_back(made);
    }

    fn find(&mut self, allowed: u64) -> Option<&mut Made> {
        let at = self.0.binary_search_by_key(&allowed, |made| made.allowed).ok()?;
        self.0.get_mut(at)
    }
}

/// What a call at this price is taken to cost before it is over.
pub(crate) fn estimate(price: u64) -> u64 {
    price.saturating_mul(MINUTES)
}

/// Thousandths of a cent for so long, a part of one counted as one.
fn cost_of(price: u64, span: Duration) -> u64 {
    let cost = (u128::from(price) * span.as_millis()).div_ceil(60_000);
    u64::try_from(cost).unwrap_or(u64::MAX)
}

/// By the rule's name.
pub(crate) type Dialled = BTreeMap<String, Made24h>;

/// The two speak from now on.
pub(crate) fn answered(ctx: &mut Context, charge: &mut Charge) {
    let now = ctx.now;
    if let Some(made) = ctx.outbound.dialled.get_mut(&charge.rule).and_then(|made| made.find(charge.allowed))
    {
        made.answered = Some(now);
    }
    let rule = ctx.outbound.rule(&charge.rule).filter(|_| !charge.urgent);
    charge.limits = rule.map(|rule| Limits {
        longest: rule.longest,
        over: now + rule.longest,
        look: now + Duration::from_secs(60 * MINUTES),
    });
}

/// Why the conversation ends now, if it has reached its longest time or its rule's ceiling of spending.
pub(crate) fn broken_off(ctx: &mut Context, charge: &mut Charge) -> Option<End> {
    let now = ctx.now;
    let Charge { rule, allowed, limits: Some(limits), .. } = charge else { return None };
    if limits.over <= now {
        let why = format!("the rule {rule} allows {} seconds", limits.longest.as_secs());
        return Some(End::new(Side::Service, Cause::TooLong).detail(why));
    }
    if now < limits.look {
        return None;
    }
    limits.look = now + LOOK;
    let ceiling = ctx.outbound.rule(rule)?.ceiling()?;
    let made = ctx.outbound.dialled.get_mut(rule)?;
    made.forget(now);
    // What was counted for it from the beginning is its own: only what it takes beyond that is held against others'.
    let exceeds = made.find(*allowed).is_some_and(|made| made.cost(now) > made.cost);
    (exceeds && made.spent(now) >= ceiling).then(|| {
        let why = format!("the cents of the rule {rule} in 24 hours are spent");
        End::new(Side::Service, Cause::SpendingCeiling).detail(why)
    })
}

/// Whether what the call costs is held against a ceiling.
pub(crate) fn has_ceiling(ctx: &Context, charge: &Charge) -> bool {
    ctx.outbound.rule(&charge.rule).is_some_and(|rule| rule.ceiling().is_some())
}

/// The call is over: it has cost what its conversation takes, if there was one, instead of what was thought.
pub(crate) fn settle(ctx: &mut Context, charge: Charge) {
    settle_as(ctx, charge, |made, span, _| cost_of(made.price, span));
}

/// The call goes on without us: it has cost what was thought, or what it took until now if that is more.
pub(crate) fn leave(ctx: &mut Context, charge: Charge) {
    settle_as(ctx, charge, |made, _, now| made.cost(now));
}

fn settle_as(ctx: &mut Context, charge: Charge, cost: impl Fn(&Made, Duration, Time) -> u64) {
    let now = ctx.now;
    let Charge { rule, allowed, .. } = charge;
    let Some(made) = ctx.outbound.dialled.get_mut(&rule).and_then(|made| made.find(allowed)) else { return };
    let span = made.answered.map_or(Duration::ZERO, |since| now.since(since));
    made.cost = cost(made, span, now);
    made.answered = None;
    let (who, millicents) = (made.by.clone(), made.cost);
    ctx.note(FactKind::OutboundSettled { allowed, who, rule, seconds: span.as_secs(), millicents });
}

/// Goes on with what the log knows: calls that a crash broke off have cost what was thought.
pub(crate) fn restore(ctx: &mut Context, charges: Vec<(u64, ChargeNow)>) {
    let (now, wall) = (ctx.now, ctx.wall());
    for (allowed, charge) in charges {
        let age = age(charge.at, wall);
        let left = |span: Duration| now + span.saturating_sub(age);
        let ChargeNow { who, rule, millicents, .. } = charge;
        let made = Made {
            allowed,
            by: who,
            hour: left(HOUR),
            day: left(DAY),
            cost: millicents,
            price: 0,
            answered: None,
        };
        ctx.outbound.dialled.entry(rule).or_default().push(made);
    }
}

/// People's clocks may have been set back meanwhile: what is yet to come is of now.
fn age(at: Wall, now: Wall) -> Duration {
    let micros = now.unix_micros().saturating_sub(at.unix_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_thousandth_is_one() {
        for (price, millis, cost) in
            [(0, 60_000, 0), (1000, 60_000, 1000), (1000, 1, 1), (1000, 61, 2), (u64::MAX, 120_000, u64::MAX)]
        {
            assert_eq!(cost_of(price, Duration::from_millis(millis)), cost, "{price} {millis}");
        }
    }

    #[test]
    fn a_long_call_costs_more_than_was_thought_while_it_goes_on() {
        let mut made = Made24h::default();
        let at = |seconds: u64| Time::from_millis(1000 * seconds);
        assert_eq!(made.count(at(0), 7, "anna", 1000), 10_000);
        made.find(7).unwrap().answered = Some(at(10));
        assert_eq!(made.spent(at(600)), 10_000, "the estimate");
        assert_eq!(made.spent(at(10 + 1200)), 20_000);
    }
}
