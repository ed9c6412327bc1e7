//! Which trunk a call to a number outside goes by: one after the other of its route, as long as a failure says that
//! another trunk might carry it.

use crate::Target;
use crate::context::Context;
use crate::lines::Full;
use crate::outbound::is_emergency;
use facts::{Cause, End, PassedOver, Side};
use sip::cause;
use sip::ua::{Elsewhere, Reach};

/// The trunks that are left to be tried for a number.
#[derive(Clone, Debug)]
pub(super) struct Hunt {
    /// As it was written.
    number: String,
    /// Empty if no route takes the number, or a trunk was named.
    pub(super) route: String,
    left: Vec<String>,
    /// Help in danger: no limit keeps it back.
    pub(super) emergency: bool,
}

/// The trunk that is tried next.
pub(super) struct Chosen {
    pub(super) trunk: String,
    pub(super) target: Target,
    /// Those that would have come before it.
    pub(super) passed_over: Vec<PassedOver>,
}

/// How a trunk stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Free,
    /// It is tried when no other is left.
    Down,
    Full(Full),
    /// Its servers asked to be left alone.
    Closed,
}

impl Hunt {
    /// The trunks for this target; nothing if it is not called by a trunk.
    pub(super) fn of(ctx: &Context, target: &Target) -> Option<Hunt> {
        let (number, (route, left)) = match target {
            Target::Agent(_) | Target::Device(_) | Target::Uri { .. } => return None,
            Target::Trunk { trunk, number } => (number, (String::new(), vec![trunk.clone()])),
            Target::Number { number } => {
                let first = ctx.config.sip.trunks.first().map(|trunk| trunk.name.as_str());
                (number, ctx.config.routing.trunks_for(&ctx.config.numbering.home.normal(number), first))
            }
        };
        let emergency = is_emergency(&ctx.config.numbering.home.normal(number));
        Some(Hunt { number: number.clone(), route, left, emergency })
    }

    /// The trunk that comes first, whether it has room or not.
    pub(super) fn first(&self) -> Option<&String> {
        self.left.first()
    }

    /// Whether a trunk is left.
    pub(super) fn goes_on(&self) -> bool {
        !self.left.is_empty()
    }

    /// Whether a trunk is left that would take the call now, or might.
    pub(super) fn elsewhere(&self, ctx: &mut Context) -> Elsewhere {
        let standings: Vec<Standing> = self.left.iter().map(|trunk| standing(ctx, trunk)).collect();
        match (standings.contains(&Standing::Free), standings.contains(&Standing::Down) || self.emergency) {
            _ if standings.is_empty() => Elsewhere::Nowhere,
            (true, _) => Elsewhere::Ready,
            (false, true) => Elsewhere::Doubtful,
            (false, false) => Elsewhere::Nowhere,
        }
    }

    /// Takes the next trunk that has room: one that is there before one that is down. An error says why there is
    /// none.
    pub(super) fn next(&mut self, ctx: &mut Context) -> Result<Chosen, Vec<PassedOver>> {
        let standings: Vec<Standing> = self.left.iter().map(|trunk| standing(ctx, trunk)).collect();
        let first = |wanted: fn(&Standing) -> bool| standings.iter().position(wanted);
        let free = first(|standing| *standing == Standing::Free);
        let down = || first(|standing| *standing == Standing::Down);
        let forced = || {
            let full = || first(|standing| matches!(standing, Standing::Full(_)));
            let closed = || first(|standing| *standing == Standing::Closed);
            full().or_else(closed).filter(|_| self.emergency)
        };
        let chosen = free.or_else(down).or_else(forced);
        let before = chosen.filter(|_| free.is_some()).unwrap_or(self.left.len());
        let others = self.left.iter().zip(&standings).take(before).enumerate();
        let passed_over =
            others.filter(|(at, _)| Some(*at) != chosen).filter_map(|(_, (trunk, standing))| {
                Some(PassedOver { trunk: trunk.clone(), why: why(*standing)?.to_owned() })
            });
        let passed_over = passed_over.collect();
        let Some(chosen) = chosen else { return Err(passed_over) };
        let trunk = self.left.remove(chosen);
        let config = ctx.config.clone();
        ctx.lines.begin(ctx.now, &trunk, config.routing.lines.get(&trunk));
        let target = Target::Trunk { trunk: trunk.clone(), number: self.number.clone() };
        Ok(Chosen { trunk, target, passed_over })
    }
}

/// Whether there is a line for a call to this number, or might be. Where no trunk is meant at all, the call itself says so.
pub(crate) fn has_line(ctx: &mut Context, number: &str) -> bool {
    let hunt = Hunt::of(ctx, &Target::Number { number: number.to_owned() });
    // A limit of calls a second is over before an agent has answered.
    let may = |standing| !matches!(standing, Standing::Full(Full::Channels) | Standing::Closed);
    hunt.is_none_or(|hunt| {
        !hunt.goes_on() || hunt.emergency || hunt.left.iter().any(|trunk| may(standing(ctx, trunk)))
    })
}

fn standing(ctx: &mut Context, trunk: &str) -> Standing {
    if let Some(full) = ctx.lines.full(ctx.now, trunk, ctx.config.routing.lines.get(trunk)) {
        return Standing::Full(full);
    }
    match ctx.sip.reach(ctx.now, trunk) {
        Reach::Ready => Standing::Free,
        Reach::Down => Standing::Down,
        Reach::Closed => Standing::Closed,
    }
}

fn why(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Free => None,
        Standing::Down => Some("down"),
        Standing::Full(Full::Channels) => Some("channels"),
        Standing::Full(Full::CallsPerSecond) => Some("calls_per_second"),
        Standing::Closed => Some("retry_after"),
    }
}

/// The end of a call for which no trunk has room: "no circuit" if lines are what is missing, "congestion" if it is
/// time.
pub(super) fn congested(passed_over: &[PassedOver]) -> End {
    let circuits = passed_over.iter().any(|trunk| trunk.why == "channels");
    let trunks: Vec<String> =
        passed_over.iter().map(|trunk| format!("{} ({})", trunk.trunk, trunk.why)).collect();
    End::new(Side::Engine, Cause::Capacity)
        .sip(503)
        .q850(Some(if circuits { cause::NO_CIRCUIT } else { cause::CONGESTION }))
        .detail(format!("no trunk has room: {}", trunks.join(", ")))
}

/// Whether a failure says that another trunk might carry the call: silence, a broken way, a server's fault, a
/// network's congestion, or our password there. Whoever is busy, does not exist or does not want to is so by every trunk.
pub(super) fn is_elsewhere(end: &End) -> bool {
    if matches!(end.cause, Cause::PeerTimeout | Cause::Unreachable) {
        return true;
    }
    let Some(status) = end.sip.filter(|_| end.by == Side::Callee) else { return false };
    // What was said besides the status says more than it.
    let said = end.q850.filter(|q850| *q850 != cause::of_status(status)).and_then(says);
    said.unwrap_or(matches!(status, 401 | 407 | 408 | 500 | 502 | 503 | 504))
}

/// What a Q.850 cause says: the network failed and another one may do, or it is about who was called. Nothing where
/// it says neither.
fn says(q850: u8) -> Option<bool> {
    match q850 {
        2 | 3 | 25 | 27 | 34 | 38 | 41..=44 | 46 | 47 | 58 => Some(true),
        1 | 17..=23 | 26 | 28 | 55 | 57 | 65 | 70 | 79 | 87 | 88 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, q850: Option<u8>) -> End {
        let end = End::new(Side::Callee, crate::call::ending::classify(Some(status))).sip(status);
        end.q850(Some(q850.unwrap_or(cause::of_status(status))))
    }

    #[test]
    fn what_another_trunk_might_carry_is_tried_there_and_nothing_else() {
        for (status, q850, elsewhere) in [
            (401, None, true),
            (407, None, true),
            (408, None, true),
            (500, None, true),
            (502, None, true),
            (503, None, true),
            (504, None, true),
            (486, None, false),
            (600, None, false),
            (603, None, false),
            (404, None, false),
            (410, None, false),
            (484, None, false),
            (480, None, false),
            (403, None, false),
            (488, None, false),
            (501, None, false),
            (400, None, false),
            (480, Some(34), true),
            (404, Some(2), true),
            (404, Some(3), true),
            (480, Some(38), true),
            (480, Some(41), true),
            (486, Some(42), true),
            (480, Some(44), true),
            (480, Some(47), true),
            (503, Some(17), false),
            (503, Some(1), false),
            (500, Some(28), false),
            (503, Some(34), true),
            (502, Some(27), true),
            (500, Some(127), true),
            (480, Some(127), false),
            (503, Some(16), true),
        ] {
            assert_eq!(is_elsewhere(&refused(status, q850)), elsewhere, "{status} {q850:?}");
        }
        assert!(is_elsewhere(&End::new(Side::Network, Cause::PeerTimeout)));
        assert!(is_elsewhere(&End::new(Side::Network, Cause::Unreachable)));
        assert!(!is_elsewhere(&End::new(Side::Callee, Cause::NoAnswer)), "it rang long enough");
        assert!(!is_elsewhere(&End::new(Side::Engine, Cause::Capacity).sip(503)), "our own limit");
    }
}
