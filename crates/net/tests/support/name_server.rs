//! A name server on loopback that says what a test wants: messages of RFC 1035, written by hand.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const A: u16 = 1;
pub(crate) const CNAME: u16 = 5;
const SOA: u16 = 6;
pub(crate) const AAAA: u16 = 28;
pub(crate) const SRV: u16 = 33;
pub(crate) const NAPTR: u16 = 35;

/// What is answered to one question.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These records: owner (the name that was asked for, if empty), type, time to live, data.
    Records(Vec<(&'static str, u16, u32, Vec<u8>)>),
    /// Records that fit into no datagram: they are told by TCP.
    TooLong(Vec<(&'static str, u16, u32, Vec<u8>)>),
    /// There is no such name, for so long.
    NoName(u32),
    /// The name has nothing of this type, for so long.
    NoData(u32),
    /// The server is broken.
    Failure,
    /// Nothing at all.
    Silence,
}

/// A running server; it ends with the test's process.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    /// How many questions came.
    pub(crate) asked: Arc<AtomicUsize>,
    zone: Arc<Mutex<BTreeMap<(String, u16), Reply>>>,
}

impl NameServer {
    /// A server that knows this, and of all else that there is no such name.
    pub(crate) fn start(known: &[(&str, u16, Reply)]) -> NameServer {
        let zone: BTreeMap<(String, u16), Reply> =
            known.iter().map(|(name, kind, reply)| (((*name).to_owned(), *kind), reply.clone())).collect();
        let (zone, asked) = (Arc::new(Mutex::new(zone)), Arc::new(AtomicUsize::new(0)));
        let (datagrams, streams) = sockets();
        let address = datagrams.local_addr().unwrap();
        let (known, count) = (zone.clone(), asked.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = datagrams.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::Relaxed);
                if let Some(answer) = answer(&known.lock().unwrap(), &buffer[..length], false) {
                    datagrams.send_to(&answer, from).unwrap();
                }
            }
        });
        let known = zone.clone();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = streams.accept() {
                let mut length = [0; 2];
                while stream.read_exact(&mut length).is_ok() {
                    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                    stream.read_exact(&mut question).unwrap();
                    let Some(answer) = answer(&known.lock().unwrap(), &question, true) else { continue };
                    let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                    stream.write_all(&[&length[..], &answer].concat()).unwrap();
                }
            }
        });
        NameServer { address, asked, zone }
    }

    /// From now on this is answered.
    pub(crate) fn say(&self, name: &str, kind: u16, reply: Reply) {
        self.zone.lock().unwrap().insert((name.to_owned(), kind), reply);
    }
}

/// A UDP socket and a TCP listener of one port.
fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        datagrams.set_read_timeout(Some(Duration::from_secs(600))).unwrap();
        if let Ok(streams) = TcpListener::bind(datagrams.local_addr().unwrap()) {
            return (datagrams, streams);
        }
    }
    panic!("no port is free for both");
}

/// The answer to a question of one name.
fn answer(zone: &BTreeMap<(String, u16), Reply>, message: &[u8], whole: bool) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    while message[at] != 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8(message[at + 1..=at + length].to_vec()).unwrap());
        at += 1 + length;
    }
    let name = labels.join(".").to_ascii_lowercase();
    let kind = u16::from_be_bytes([message[at + 1], message[at + 2]]);
    let reply = zone.get(&(name, kind)).cloned().unwrap_or(Reply::NoName(60));
    let (code, truncated, answers, authority) = match reply {
        Reply::Silence => return None,
        Reply::Records(records) => (0, 0, records, None),
        Reply::TooLong(records) if whole => (0, 0, records, None),
        Reply::TooLong(_) => (0, 2, vec![], None),
        Reply::NoName(ttl) => (3, 0, vec![], Some(ttl)),
        Reply::NoData(ttl) => (0, 0, vec![], Some(ttl)),
        Reply::Failure => (2, 0, vec![], None),
    };
    let mut written = message[..2].to_vec();
    written.extend([0x85 | truncated, 0x80 | code, 0, 1]);
    written.extend(u16::try_from(answers.len()).unwrap().to_be_bytes());
    written.extend([0, u8::from(authority.is_some()), 0, 0]);
    written.extend(&message[12..at + 5]);
    for (owner, kind, ttl, data) in answers {
        let owner = if owner.is_empty() { vec![0xc0, 12] } else { domain(owner) };
        written.extend(record(&owner, kind, ttl, &data));
    }
    if let Some(ttl) = authority {
        let mut data = [domain("ns.example"), domain("hostmaster.example")].concat();
        [1, 7200, 3600, 86_400, ttl].iter().for_each(|number: &u32| data.extend(number.to_be_bytes()));
        written.extend(record(&domain("example"), SOA, ttl, &data));
    }
    Some(written)
}

fn record(owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [owner, &kind.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, data].concat()
}

pub(crate) fn domain(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut written: Vec<u8> = labels.flat_map(text).collect();
    written.push(0);
    written
}

fn text(words: &str) -> Vec<u8> {
    [&[u8::try_from(words.len()).unwrap()], words.as_bytes()].concat()
}

pub(crate) fn a(ip: Ipv4Addr) -> Vec<u8> {
    ip.octets().to_vec()
}

pub(crate) fn aaaa(ip: Ipv6Addr) -> Vec<u8> {
    ip.octets().to_vec()
}

pub(crate) fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Vec<u8> {
    let numbers = [priority, weight, port].map(u16::to_be_bytes).concat();
    [numbers, domain(target)].concat()
}

pub(crate) fn naptr(order: u16, preference: u16, service: &str, replacement: &str) -> Vec<u8> {
    let numbers = [order, preference].map(u16::to_be_bytes).concat();
    [numbers, text("s"), text(service), text(""), domain(replacement)].concat()
}
