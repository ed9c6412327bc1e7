//! The floor of all relays: a receive and a send, never waiting and never asking in vain.
//!
//! One thread fills the sockets, then another one, alone, relays what is there and counts its own CPU time.

use benches::{args::Args, cpu, rtp, sockets};
use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Packets that wait in one socket at a time: well under what a socket's buffer holds by default.
const BURST: u32 = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["sockets", "seconds"])?;
    let count: usize = args.get("sockets", 400)?;
    let window = Duration::from_secs_f64(args.get("seconds", 5.0)?);
    if count < 2 || count % 2 == 1 {
        return Err("--sockets: legs come in pairs; give an even number".into());
    }
    sockets::raise_open_files()?;
    let (legs, peers) = (sockets::bind_many(count)?, sockets::bind_many(count)?);
    let to_peers: Vec<_> = peers.iter().map(UdpSocket::local_addr).collect::<Result<_, _>>()?;
    let to_legs: Vec<_> = legs.iter().map(UdpSocket::local_addr).collect::<Result<_, _>>()?;
    let (filled, fills) = channel();
    let (drained, drains) = channel();
    let relay = std::thread::spawn(move || relay(&legs, &to_peers, &fills, &drained));
    let given = fill_and_empty(&peers, &to_legs, window, &filled, &drains)?;
    drop(filled);
    let cpu_ns = relay.join().map_err(|_| "the relay's thread failed")??;
    let per_packet = cpu_ns / given.relayed.max(1);
    println!(
        r#"{{"floor":"tight","sockets":{count},"relayed":{},"lost":{},"cpu_ns_per_packet":{per_packet}}}"#,
        given.relayed,
        given.sent - given.relayed,
    );
    Ok(())
}

/// Relays every packet that waits, each time it is told to; returns the CPU time that this took.
fn relay(
    legs: &[UdpSocket],
    to_peers: &[SocketAddr],
    fills: &Receiver<()>,
    drained: &Sender<()>,
) -> std::io::Result<u64> {
    let mut packet = [0; 2048];
    let mut used = 0;
    while fills.recv().is_ok() {
        let before = cpu::of_thread();
        for _ in 0..BURST {
            for (index, leg) in legs.iter().enumerate() {
                let other = index ^ 1;
                let (Some(out), Some(to)) = (legs.get(other), to_peers.get(other)) else { continue };
                if let Some((length, _)) = sockets::receive(leg, &mut packet)? {
                    out.send_to(packet.get(..length).unwrap_or_default(), to)?;
                }
            }
        }
        used += cpu::of_thread() - before;
        if drained.send(()).is_err() {
            break;
        }
    }
    Ok(used)
}

#[derive(Default)]
struct Given {
    sent: u64,
    relayed: u64,
}

/// Sends a burst on every socket, lets the relay work alone, takes what came through, until the time is over.
fn fill_and_empty(
    peers: &[UdpSocket],
    to_legs: &[SocketAddr],
    window: Duration,
    filled: &Sender<()>,
    drains: &Receiver<()>,
) -> Result<Given, Box<dyn Error>> {
    let mut given = Given::default();
    let mut packet = [0; 2048];
    let end = Instant::now() + window;
    while Instant::now() < end {
        for count in 0..BURST {
            for (stream, (peer, to)) in (0..).zip(peers.iter().zip(to_legs)) {
                peer.send_to(&rtp::write(rtp::Mark { stream, count, sent_us: 0 }), to)?;
                given.sent += 1;
            }
        }
        filled.send(())?;
        drains.recv()?;
        for peer in peers {
            while sockets::receive(peer, &mut packet)?.is_some() {
                given.relayed += 1;
            }
        }
    }
    Ok(given)
}
