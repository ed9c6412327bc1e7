//! What call control has ordered, as far as others need to know it: which port is whose, and what was agreed there. It also
//! watches that the orders make sense.

use media_api::{Command, LegId, Stream};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Orders {
    legs: BTreeMap<LegId, Leg>,
    pub(crate) complaints: Vec<String>,
}

struct Leg {
    /// The port by which others know it.
    number: u32,
    stream: Option<Stream>,
}

impl Orders {
    pub(crate) fn open(&mut self, leg: LegId, number: u32) {
        if self.legs.insert(leg, Leg { number, stream: None }).is_some() {
            self.complaints.push(format!("{leg:?} was opened twice"));
        }
    }

    pub(crate) fn number_of(&self, leg: LegId) -> Option<u32> {
        self.legs.get(&leg).map(|leg| leg.number)
    }

    pub(crate) fn stream_of(&self, leg: LegId) -> Option<&Stream> {
        self.legs.get(&leg)?.stream.as_ref()
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.legs.values().map(|leg| leg.number)
    }

    pub(crate) fn len(&self) -> usize {
        self.legs.len()
    }

    /// What call control wants.
    pub(crate) fn apply(&mut self, command: &Command) {
        match command {
            Command::Configure { leg, stream } => {
                if let Some(known) = self.legs.get_mut(leg) {
                    known.stream = Some(stream.clone());
                }
            }
            Command::Bridge { a, b } | Command::Listen { leg: a, to: b } => self.must_be_agreed(&[*a, *b]),
            Command::Join { leg, .. } => self.must_be_agreed(&[*leg]),
            _ => {}
        }
        match command {
            Command::Close { leg } => drop(self.legs.remove(leg)),
            Command::Open { .. } => {}
            _ => self.must_be_open(command),
        }
    }

    fn must_be_open(&mut self, command: &Command) {
        if let Some(leg) = command.leg().filter(|leg| !self.legs.contains_key(leg)) {
            self.complaints.push(format!("something was ordered for {leg:?}, which is not open"));
        }
    }

    fn must_be_agreed(&mut self, legs: &[LegId]) {
        for leg in legs {
            if self.stream_of(*leg).is_none() {
                self.complaints.push(format!("{leg:?} was put with others before it was agreed where it is"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_api::Codec;
    use std::net::SocketAddr;

    #[test]
    fn orders_for_ports_that_are_not_open_or_not_agreed_make_no_sense() {
        let mut orders = Orders::default();
        let (one, two) = (LegId(1), LegId(2));
        orders.open(one, 11);
        orders.open(two, 12);
        let stream = Stream::plain(SocketAddr::from(([10, 0, 0, 9], 4000)), Codec::Pcma, 8);
        orders.apply(&Command::Configure { leg: one, stream });
        assert_eq!(orders.complaints.len(), 0);
        orders.apply(&Command::Bridge { a: one, b: two });
        assert_eq!(orders.complaints.len(), 1);
        orders.apply(&Command::Close { leg: one });
        orders.apply(&Command::Stop { leg: one });
        assert_eq!((orders.complaints.len(), orders.numbers().collect::<Vec<_>>()), (2, vec![12]));
    }
}
