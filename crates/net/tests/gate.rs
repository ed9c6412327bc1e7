//! Who is let to the queues of the SIP sockets, and in which order, over real loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use net::{SipInput, SipLimits};
use sip::guard::{Change, Whom};
use sip::ua::Transport;
use std::net::SocketAddr;
use support::{SOON, bind, failed, local, message, next, received, until};
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
    sockets.apply(&Change::Banned { source, whom: Whom::Strangers });
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
async fn of_who_may_be_kept_out_for_anothers_doing_a_register_is_read() {
    let (sockets, mut inbox) = bind(Transport::Udp, host(1), SipLimits::default());
    let local = local(&sockets);
    sockets.apply(&Change::Banned { source: "127.0.0.2/32".parse().unwrap(), whom: Whom::Suspects });
    let suspect = UdpSocket::bind(host(2)).await.unwrap();
    suspect.send_to(&message("1"), local).await.unwrap();
    let register = b"REGISTER sip:help.example SIP/2.0\r\n\r\n";
    suspect.send_to(register, local).await.unwrap();
    assert_eq!(received(&mut inbox).await.1, register);
    assert_eq!(sockets.counts().dropped_banned, 1);
}

#[tokio::test]
async fn streams_of_who_is_kept_out_are_cut_and_new_ones_closed_at_once() {
    let (sockets, mut inbox) = bind(Transport::Tcp, host(1), SipLimits::default());
    let local = local(&sockets);
    let mut before = TcpStream::connect(local).await.unwrap();
    before.write_all(&message("1")).await.unwrap();
    assert_eq!(received(&mut inbox).await.1, message("1"));
    sockets.apply(&Change::Banned { source: "127.0.0.1/32".parse().unwrap(), whom: Whom::Strangers });
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

async fn is_cut(stream: &mut TcpStream) {
    let read = timeout(SOON, stream.read(&mut [0; 10])).await.expect("it is still there");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn strangers_together_have_half_and_the_oldest_of_them_makes_room_for_who_comes() {
    let streams = SipLimits { connections: 12, ..SipLimits::default() };
    let handshakes = SipLimits { handshakes: 12, ..SipLimits::default() };
    for (transport, limits) in [(Transport::Tcp, streams), (Transport::Ws, handshakes)] {
        let (sockets, _inbox) = bind(transport, host(1), limits);
        let local = local(&sockets);
        sockets.apply(&Change::Networks(vec!["127.0.0.3/32".parse().unwrap()]));
        let mut known = Vec::new();
        for _ in 0..6 {
            known.push(connected(host(3), local).await);
        }
        let mut strange = Vec::new();
        for number in 0..10 {
            strange.push(connected(host(10 + number), local).await);
        }
        for stream in &mut strange[..4] {
            is_cut(stream).await;
        }
        assert_eq!(sockets.counts().connections_refused, 0, "{transport:?}");
        assert_eq!(sockets.counts().connections_cut, 4, "{transport:?}");
        // All is full now: another known peer takes a place of theirs too, and no stranger one of the known.
        known.push(connected(host(3), local).await);
        is_cut(&mut strange[4]).await;
        strange.push(connected(host(30), local).await);
        is_cut(&mut strange[5]).await;
        for stream in known.iter().chain(&strange[6..]) {
            let read = stream.try_read(&mut [0; 10]);
            assert!(read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
        }
    }
}

#[tokio::test]
async fn strangers_of_one_network_crowd_out_nobody_elsewhere() {
    let limits = SipLimits { connections_per_strange_network: 4, ..SipLimits::default() };
    let (sockets, mut inbox) = bind(Transport::Tcp, host(1), limits);
    let local = local(&sockets);
    let mut elsewhere = connected(SocketAddr::from(([127, 0, 1, 1], 0)), local).await;
    let mut crowd = Vec::new();
    for number in 0..20 {
        crowd.push(connected(host(10 + number), local).await);
    }
    for stream in &mut crowd[..16] {
        is_cut(stream).await;
    }
    for _ in 0..16 {
        failed(&mut inbox).await;
    }
    elsewhere.write_all(&message("1")).await.unwrap();
    assert_eq!(received(&mut inbox).await.1, message("1"));
    crowd[19].write_all(&message("2")).await.unwrap();
    assert_eq!(received(&mut inbox).await.1, message("2"));
    assert_eq!(sockets.counts().connections_cut, 16);
}

/// The clock of tokio is stopped and goes on by itself to the next deadline when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_stranger_that_proves_nothing_is_cut_off_however_often_it_pings() {
    let (sockets, _inbox) = bind(Transport::Tcp, host(1), SipLimits::default());
    let local = local(&sockets);
    sockets.apply(&Change::Known(host(3).ip()));
    let (mut stranger, mut known) = (connected(host(2), local).await, connected(host(3), local).await);
    let began = tokio::time::Instant::now();
    let mut buffer = [0; 10];
    known.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(known.read(&mut buffer).await.unwrap(), 2);
    loop {
        if stranger.write_all(b"\r\n\r\n").await.is_err() {
            break;
        }
        match stranger.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => tokio::time::sleep(std::time::Duration::from_secs(1)).await,
        }
        assert!(began.elapsed().as_secs() < 60, "it is still there");
    }
    assert!((29..=32).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    known.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(known.read(&mut buffer).await.unwrap(), 2, "who is known may be silent");
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
