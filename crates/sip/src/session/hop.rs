//! Where the requests of a dialog go whose first route, or whose target, is a name: where name servers say that it is
//! (RFC 3263 §4). No request waits for that: names are asked for as soon as they are heard of, and until there is an
//! answer requests go back to where the peer's messages come from.

use super::{Phase, Session};
use crate::locate::{Host, Place, Query};
use crate::ua::Flow;
use crate::ua::ways::Found;
use crate::ua::wire::Wire;
use crate::uri::Uri;
use base::Time;

/// A name, and the way there once it is known. All requests of the dialog keep to it: the servers of one name may not
/// know of each other's dialogs.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    place: Place,
    way: Option<Flow>,
    /// Nobody answered there.
    given_up: bool,
}

impl Hop {
    /// The host of a URI; nothing if that is an address.
    pub(super) fn of(uri: &str) -> Option<Hop> {
        let place = Place::of_uri(&Uri::parse(uri).ok()?)?;
        matches!(place.host, Host::Name(_)).then_some(Hop { place, way: None, given_up: false })
    }

    /// The way there, if it is known.
    pub(super) fn way(&self) -> Option<Flow> {
        self.way
    }

    /// Nobody answered there: the name is not looked for again, and requests go back to where the peer's messages come
    /// from.
    pub(super) fn give_up(&mut self) {
        (self.way, self.given_up) = (None, true);
    }

    /// Whether both are the same name.
    pub(super) fn is(&self, other: &Hop) -> bool {
        self.place == other.place
    }

    /// Finds the way, or says which answer it waits for. A server that the peer's messages come from, by `near`, goes
    /// before its fellows, and no way leads to the wrong side of a NAT.
    pub(super) fn find(
        &mut self,
        wire: &mut Wire,
        now: Time,
        near: Flow,
        believes: impl Fn(Flow) -> bool,
    ) -> Option<Query> {
        if self.way.is_some() || self.given_up {
            return None;
        }
        match wire.ways_unproven(now, &self.place) {
            Found::Ways(ways) => {
                let is_near = |way: &&Flow| {
                    (way.transport, way.remote.ip()) == (near.transport, near.remote.ip().to_canonical())
                };
                let ways: Vec<Flow> = ways.into_iter().filter(|way| believes(*way)).collect();
                self.way = ways.iter().find(is_near).or(ways.first()).copied();
                None
            }
            Found::WaitsFor(query) => Some(query),
            Found::None(_) => None,
        }
    }
}

impl Session {
    /// Looks for the servers that the next requests go to; gives the answers that are waited for.
    pub(super) fn locate(&mut self, wire: &mut Wire, now: Time) -> Vec<Query> {
        let early = match &mut self.phase {
            Phase::Calling(calling) => calling.forks.locate(wire, now),
            _ => Vec::new(),
        };
        self.dialog.locate(wire, now).into_iter().chain(early).collect()
    }
}
