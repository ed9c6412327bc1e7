//! Who is let to the queues of the SIP sockets, and in which order, over real loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use net::{SipInput, SipLimits, SipSockets};
use sip::guard::Change;
use sip::ua::Transport;
use std::net::SocketAddr;
use support::{SOON, bind, local, message, next, received, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::timeout;

/// Another host, as far as addresses go.
fn host(number: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, number], 0))
}

#[tokio::test]
async fn who_is_known_is_handled_before_any_stranger_and_never_crowded_out() {
    let limits = SipLimits { stranger_inputs: 4, ..SipLimits::default() };
    let (sockets, mut inbox) = bind(Transport::Udp, host(1), limits);
    let local = local(&sockets);
    sockets.apply(&Change::Networks(vec!["127.0.0.3/32".parse().unwrap()]));
    let (stranger, peer) = (UdpSocket::bind(host(2)).await.unwrap(), UdpSocket::bind(host(3)).await.unwrap());
    for number in 0..50 {
        stranger.send_to(&message(&format!("stranger {number}")), local).await.unwrap();
    }
    peer.send_to(&message("peer"), local).await.unwrap();
    until(|| sockets.counts().received == 5).await;
    assert_eq!(sockets.counts().dropped_full, 46);
    assert_eq!(received(&mut inbox).await.1, message("peer"));
    assert_eq!(received(&mut inbox).await.1, message("stranger 0"));
}

#[tokio::test]
async fn datagrams_of_who_is_kept_out_are_dropped_until_the_ban_is_lifted() {
    let (sockets, mut inbox) = bind(Transport::Udp, host(1), SipLimits::default());
    let local = local(&sockets);
    let source = "127.0.0.2/32".parse().unwrap();
    sockets.apply(&Change::Banned { source, known_too: false });
    let (banned, other) = (UdpSocket::bind(host(2)).await.unwrap(), UdpSocket::bind(host(3)).await.unwrap());
    banned.send_to(&message("1"), local).await.unwrap();
    other.send_to(&message("2"), local).await.unwrap();
    assert_eq!(received(&mut inbox).await.1, message("2"));
    assert_eq!(sockets.counts().dropped_banned, 1);
    sockets.apply(&Change::Lifted(source));
    banned.send_to(&message("3"), local).await.unwrap();
    assert_eq!(received(&mut inbox).await.1, message("3"));
}

#[tokio::test]
async fn streams_of_who_is_kept_out_are_cut_and_new_ones_closed_at_once() {
    let (sockets, mut inbox) = bind(Transport::Tcp, host(1), SipLimits::default());
    let local = local(&sockets);
    let mut before = TcpStream::connect(local).await.unwrap();
    before.write_all(&message("1")).await.unwrap();
    assert_eq!(received(&mut inbox).await.1, message("1"));
    sockets.apply(&Change::Banned { source: "127.0.0.1/32".parse().unwrap(), known_too: false });
    let read = timeout(SOON, before.read(&mut [0; 10])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    let mut after = TcpStream::connect(local).await.unwrap();
    let read = timeout(SOON, after.read(&mut [0; 10])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert_eq!(sockets.counts().connections_refused, 1);
}

async fn connected(from: SocketAddr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from).unwrap();
    socket.connect(to).await.unwrap()
}

/// So many more are let in, and one more is not: they are judged in the order in which they came.
async fn so_many_are_let_in(sockets: &SipSockets, from: SocketAddr, many: usize) -> Vec<TcpStream> {
    let (to, before) = (sockets.bound()[0].1, sockets.counts().connections_refused);
    let mut streams = Vec::new();
    for _ in 0..=many {
        streams.push(connected(from, to).await);
    }
    let read = timeout(SOON, streams[many].read(&mut [0; 10])).await.expect("one too many is let in");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert_eq!(sockets.counts().connections_refused - before, 1, "of {from}");
    streams
}

#[tokio::test]
async fn strangers_together_have_half_of_the_streams_and_of_the_handshakes_whatever_others_have() {
    let streams = SipLimits { connections: 12, ..SipLimits::default() };
    let handshakes = SipLimits { handshakes: 12, ..SipLimits::default() };
    for (transport, limits) in [(Transport::Tcp, streams), (Transport::Ws, handshakes)] {
        let (sockets, _inbox) = bind(transport, host(1), limits);
        let local = local(&sockets);
        sockets.apply(&Change::Networks(vec!["127.0.0.3/32".parse().unwrap()]));
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(connected(host(3), local).await);
        }
        held.extend(so_many_are_let_in(&sockets, host(2), 6).await);
        sockets.apply(&Change::Known(host(2).ip()));
        held.extend(so_many_are_let_in(&sockets, host(4), 2).await);
        sockets.apply(&Change::Stranger(host(2).ip()));
        drop(held);
    }
}

#[tokio::test]
async fn that_a_strangers_stream_is_gone_is_told_after_its_last_message() {
    let (sockets, mut inbox) = bind(Transport::Tcp, host(1), SipLimits::default());
    let local = local(&sockets);
    let mut stranger = connected(host(2), local).await;
    stranger.write_all(b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: many\r\n\r\n").await.unwrap();
    until(|| sockets.counts().connections_cut == 1).await;
    assert!(received(&mut inbox).await.1.starts_with(b"MESSAGE"));
    let gone = next(&mut inbox).await;
    assert!(matches!(gone, SipInput::FlowFailed { .. }), "{gone:?}");
}
