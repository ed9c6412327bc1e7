//! Phones whose SIP goes over TCP: bytes come whole and in order, cut anywhere, until the connection breaks.

use crate::due::Happening;
use crate::network::Way;
use crate::phones::between;
use crate::town;
use crate::world::World;
use base::Time;
use engine::Input;
use sip::framing::{Frame, StreamFramer};
use sip::message::ParseLimits;
use sip::ua::{Flow, Transport};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The port at which phones take connections.
const LISTENS: u16 = 5060;

/// Every connection, by the exchange's address and the phone's.
pub(crate) type Streams = BTreeMap<[SocketAddr; 2], Stream>;

/// One connection.
pub(crate) struct Stream {
    /// Cuts what the exchange reads.
    framer: StreamFramer,
    /// The last arrivals: nothing comes before them.
    last: [Time; 2],
}

/// What comes by a connection.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) way: Way,
    pub(crate) phone: usize,
    pub(crate) addresses: [SocketAddr; 2],
    pub(crate) bytes: Vec<u8>,
}

fn flow([local, remote]: [SocketAddr; 2]) -> Flow {
    Flow { transport: Transport::Tcp, local, remote }
}

impl World<'_> {
    /// Sends by a connection, which is opened if there is none: by the phone from any port, by the exchange to
    /// the port at which phones listen.
    pub(crate) fn send_by_stream(
        &mut self,
        way: Way,
        phone: usize,
        addresses: [SocketAddr; 2],
        bytes: Vec<u8>,
    ) {
        let Some(path) = self.paths.get_mut(&phone) else { return self.stream_fails(addresses) };
        let reachable = way == Way::ToEngine || addresses[1].port() == LISTENS;
        if !self.streams.contains_key(&addresses) && !reachable {
            return self.stream_fails(addresses);
        }
        let framer = || StreamFramer::new(ParseLimits::default());
        let fresh = || Stream { framer: framer(), last: [Time::ZERO; 2] };
        let stream = self.streams.entry(addresses).or_insert_with(fresh);
        // What the network loses, the kernels send again.
        let late = path.carry(self.now, way, &mut self.network)[0].unwrap_or(self.now + path.again());
        let mut at = late.max(stream.last[way as usize]);
        let mut pieces = vec![bytes];
        if way == Way::ToEngine {
            pieces = cut(pieces.remove(0), self.network.below(4), &mut self.network);
            self.report.coverage.met("stream cut anywhere");
        }
        for bytes in pieces {
            at = at + between(&mut self.network, 0, 3);
            self.schedule(at, Happening::Streams(Piece { way, phone, addresses, bytes }));
        }
        if let Some(stream) = self.streams.get_mut(&addresses) {
            stream.last[way as usize] = at;
        }
        if self.faults.loss && !self.healed && self.network.chance_permille(30) {
            let at = self.now + between(&mut self.network, 0, 20_000);
            self.schedule(at, Happening::Breaks { phone, addresses });
        }
    }

    /// A piece arrives, if its connection is still there.
    pub(crate) fn streams(&mut self, piece: Piece) {
        let Piece { way, phone, addresses, bytes } = piece;
        let Some(stream) = self.streams.get_mut(&addresses) else { return };
        if way == Way::ToPhone {
            let now = self.now;
            return self.with_phone(phone, |phone| phone.handle(now, addresses, &bytes));
        }
        stream.framer.push(&bytes);
        while let Some(frame) = self.streams.get_mut(&addresses).and_then(|it| it.framer.next()) {
            match frame {
                Ok(Frame::Message(bytes)) => self.reaches_engine(flow(addresses), bytes),
                Ok(Frame::Ping | Frame::Pong) => {}
                Err(_) => self.breaks(phone, addresses),
            }
        }
    }

    /// A connection breaks: what was on its way is lost, and both sides hear of it.
    pub(crate) fn breaks(&mut self, phone: usize, addresses: [SocketAddr; 2]) {
        if self.streams.remove(&addresses).is_none() {
            return;
        }
        self.report.coverage.met("stream breaks");
        self.flow_failed(addresses);
        self.with_phone(phone, |phone| phone.broken(addresses[1]));
    }

    fn stream_fails(&mut self, addresses: [SocketAddr; 2]) {
        self.report.coverage.met("no connection to a phone");
        let at = self.now + between(&mut self.network, 1, 100);
        self.schedule(at, Happening::NoConnection(addresses));
    }

    pub(crate) fn no_connection(&mut self, addresses: [SocketAddr; 2]) {
        self.flow_failed(addresses);
    }

    fn flow_failed(&mut self, addresses: [SocketAddr; 2]) {
        self.wire.broken(addresses[1].ip());
        self.input(Input::FlowFailed { flow: flow(addresses) });
    }

    /// A phone that is no more has closed its connections.
    pub(crate) fn close_streams(&mut self, phone: usize) {
        let ip = town::address_of(phone).ip();
        let [first, last] = [0, u16::MAX].map(|port| SocketAddr::new(ip, port));
        let of = |local| self.streams.range([local, first]..=[local, last]).map(|(addresses, _)| *addresses);
        let gone: Vec<_> = [town::exchange(), town::other_exchange()].into_iter().flat_map(of).collect();
        for addresses in gone {
            self.streams.remove(&addresses);
            self.flow_failed(addresses);
        }
    }
}

/// Cuts at so many places.
fn cut(bytes: Vec<u8>, places: u64, rng: &mut base::Rng) -> Vec<Vec<u8>> {
    let mut pieces = vec![bytes];
    for _ in 0..places {
        let Some(last) = pieces.last_mut().filter(|last| last.len() > 1) else { break };
        let at = 1 + rng.below(last.len() as u64 - 1) as usize;
        let rest = last.split_off(at);
        pieces.push(rest);
    }
    pieces
}
