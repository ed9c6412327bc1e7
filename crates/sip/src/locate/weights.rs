//! The order of servers: by priority, and by chance among those of one priority, each by its weight
//! (RFC 2782).

use super::Record;
use base::Rng;

/// A server of an SRV answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) target: String,
    pub(super) port: u16,
}

/// The servers in the order in which they are to be tried; `.` is none.
pub(super) fn ordered(records: &[Record], rng: &mut Rng) -> Vec<Server> {
    let mut left: Vec<(u16, u16, Server)> = records.iter().filter_map(server).collect();
    // Those of weight 0 come first within a priority, so that they have a small chance (RFC 2782).
    left.sort_by_key(|(priority, weight, _)| (*priority, *weight));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(&(priority, ..)) = left.first() {
        let group = left.iter().take_while(|(other, ..)| *other == priority);
        let weights: Vec<u64> = group.map(|(_, weight, _)| u64::from(*weight)).collect();
        let (_, _, server) = left.remove(drawn(&weights, rng));
        ordered.push(server);
    }
    ordered
}

/// The place of the first whose running sum reaches a number drawn from 0 to the whole sum.
fn drawn(weights: &[u64], rng: &mut Rng) -> usize {
    let drawn = rng.below(weights.iter().sum::<u64>() + 1);
    let mut sum = 0;
    let reaches = |weight: &u64| {
        sum += weight;
        sum >= drawn
    };
    weights.iter().position(reaches).unwrap_or(0)
}

fn server(record: &Record) -> Option<(u16, u16, Server)> {
    let Record::Srv { priority, weight, port, target } = record else { return None };
    let target = target.trim_end_matches('.').to_ascii_lowercase();
    let is_there = !target.is_empty() && *port != 0;
    is_there.then_some((*priority, *weight, Server { target, port: *port }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Seed;

    fn srv(priority: u16, weight: u16, target: &str) -> Record {
        Record::Srv { priority, weight, port: 5060, target: target.to_owned() }
    }

    fn first_of(records: &[Record], times: u64, name: &str) -> usize {
        let firsts = (0..times).filter_map(|seed| {
            ordered(records, &mut Seed::from_number(seed).rng()).into_iter().next().map(|s| s.target)
        });
        firsts.filter(|first| first == name).count()
    }

    #[test]
    fn priorities_come_before_weights() {
        let records = [srv(20, 1000, "backup."), srv(10, 1, "Main.example.")];
        for seed in 0..50 {
            let names: Vec<String> = ordered(&records, &mut Seed::from_number(seed).rng())
                .into_iter()
                .map(|server| server.target)
                .collect();
            assert_eq!(names, ["main.example", "backup"]);
        }
    }

    #[test]
    fn among_equals_each_is_first_as_often_as_its_weight_says() {
        let records = [srv(1, 75, "a"), srv(1, 25, "b"), srv(1, 0, "c")];
        let (a, b, c) =
            (first_of(&records, 4_000, "a"), first_of(&records, 4_000, "b"), first_of(&records, 4_000, "c"));
        assert_eq!(a + b + c, 4_000);
        assert!((2_850..3_150).contains(&a), "{a}");
        assert!((850..1_150).contains(&b), "{b}");
        assert!((1..120).contains(&c), "weight 0 has a small chance, not none: {c}");
    }

    #[test]
    fn a_dot_says_that_there_is_no_such_service() {
        assert!(ordered(&[srv(0, 0, ".")], &mut Seed::from_number(1).rng()).is_empty());
    }
}
