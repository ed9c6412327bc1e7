//! The SIP sockets over real loopback. Nothing here sleeps to get an order: every wait is for a message and
//! has a limit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use net::{SipInput, SipLimits, SipSetup, SipSockets};
use sip::ua::Transport;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use stun::{binding_request, mapped_address};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::time::timeout;

#[tokio::test]
async fn a_datagram_comes_in_and_its_answer_goes_back_in_both_families() {
    for address in [ANY_V4, ANY_V6] {
        let (sockets, mut inputs) = bind(Transport::Udp, address, SipLimits::default());
        let peer = UdpSocket::bind(address).await.unwrap();
        peer.send_to(b"\r\n\r\n", local(&sockets)).await.unwrap();
        peer.send_to(&message("1"), local(&sockets)).await.unwrap();
        let (flow, bytes) = received(&mut inputs).await;
        assert_eq!(bytes, message("1"), "the keep-alive before it is no message");
        assert_eq!((flow.local, flow.remote), (local(&sockets), peer.local_addr().unwrap()));
        sockets.send(flow, b"answer".to_vec());
        let mut buffer = [0; 100];
        let (length, from) = timeout(SOON, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
        assert_eq!((&buffer[..length], from), (&b"answer"[..], local(&sockets)));
        assert_eq!((sockets.counts().received, sockets.counts().sent), (1, 1));
    }
}

#[tokio::test]
async fn a_datagram_that_the_kernel_takes_no_more_of_is_told_of_and_a_large_one_arrives() {
    for address in [ANY_V4, ANY_V6] {
        let (sockets, mut inputs) = bind(Transport::Udp, address, SipLimits::default());
        let peer = UdpSocket::bind(address).await.unwrap();
        let flow = sockets.flow_to(Transport::Udp, peer.local_addr().unwrap()).unwrap();
        let (large, too_large) = (vec![b'x'; 60_000], vec![b'x'; 65_530]);
        sockets.send(flow, too_large.clone());
        let told = timeout(SOON, inputs.recv()).await.unwrap().unwrap();
        assert_eq!(told, SipInput::TooLarge { flow, bytes: too_large });
        sockets.send(flow, large.clone());
        let mut buffer = vec![0; 65_535];
        let (length, _) = timeout(SOON, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(&buffer[..length], large);
        assert_eq!((sockets.counts().sent, sockets.counts().unsent), (1, 1));
    }
}

#[tokio::test]
async fn a_socket_of_every_address_shows_the_one_that_the_peer_knows() {
    let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let (sockets, mut inputs) = bind(Transport::Udp, any, SipLimits::default());
    let peer = UdpSocket::bind(ANY_V4).await.unwrap();
    let known = SocketAddr::new(ANY_V4.ip(), local(&sockets).port());
    peer.send_to(&message("1"), known).await.unwrap();
    let (flow, _) = received(&mut inputs).await;
    assert_eq!(flow.local, known);
    assert_eq!(sockets.flow_to(Transport::Udp, flow.remote), Some(flow));
    sockets.send(flow, b"answer".to_vec());
    let mut buffer = [0; 100];
    let (length, from) = timeout(SOON, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
    assert_eq!((&buffer[..length], from), (&b"answer"[..], known));
}

#[tokio::test]
async fn datagrams_are_dropped_and_counted_when_the_user_agent_is_behind() {
    let limits = SipLimits { stranger_inputs: 2, ..SipLimits::default() };
    let (sockets, mut inputs) = bind(Transport::Udp, ANY_V4, limits);
    let peer = UdpSocket::bind(ANY_V4).await.unwrap();
    for number in 0..5 {
        peer.send_to(&message(&number.to_string()), local(&sockets)).await.unwrap();
    }
    timeout(SOON, async {
        while sockets.counts().dropped_full < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(received(&mut inputs).await.1, message("0"));
    assert_eq!(received(&mut inputs).await.1, message("1"));
    assert!(inputs.try_recv().is_none());
}

#[tokio::test]
async fn a_stream_is_cut_into_messages_and_pings_are_answered() {
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
    let mut peer = TcpStream::connect(local(&sockets)).await.unwrap();
    let both = [message("one"), b"\r\n\r\n".to_vec(), message("two")].concat();
    let (start, rest) = both.split_at(30);
    peer.write_all(start).await.unwrap();
    peer.write_all(rest).await.unwrap();
    let (flow, bytes) = received(&mut inputs).await;
    assert_eq!(bytes, message("one"));
    assert_eq!((flow.local, flow.remote), (local(&sockets), peer.local_addr().unwrap()));
    assert_eq!(received(&mut inputs).await, (flow, message("two")));
    sockets.send(flow, b"answer".to_vec());
    let mut buffer = [0; 8];
    timeout(SOON, peer.read_exact(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(&buffer, b"\r\nanswer");
    drop(peer);
    assert_eq!(failed(&mut inputs).await, flow);
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_opened_and_comes_back_by_the_same_flow() {
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
    let server = TcpListener::bind(ANY_V4).await.unwrap();
    let flow = sockets.flow_to(Transport::Tcp, server.local_addr().unwrap()).unwrap();
    sockets.send(flow, message("first"));
    sockets.send(flow, message("second"));
    let (mut peer, _) = timeout(SOON, server.accept()).await.unwrap().unwrap();
    let expected = [message("first"), message("second")].concat();
    let mut buffer = vec![0; expected.len()];
    timeout(SOON, peer.read_exact(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(buffer, expected);
    peer.write_all(&message("back")).await.unwrap();
    assert_eq!(received(&mut inputs).await, (flow, message("back")));
}

#[tokio::test]
async fn an_answer_to_who_has_gone_opens_no_stream_to_the_port_that_it_came_from() {
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(ANY_V4).unwrap();
    let mut peer = socket.connect(local(&sockets)).await.unwrap();
    peer.write_all(&message("1")).await.unwrap();
    let (flow, _) = received(&mut inputs).await;
    drop(peer);
    assert_eq!(failed(&mut inputs).await, flow);
    let other = TcpListener::bind(flow.remote).await.unwrap();
    sockets.send(flow, b"SIP/2.0 200 OK\r\n\r\n".to_vec());
    assert_eq!((sockets.counts().unsent, sockets.counts().sent), (1, 0));
    assert_eq!(inputs.try_recv(), None, "it was told once");
    // Whoever sends a request has looked up that address.
    sockets.send(flow, message("2"));
    let (mut stream, _) = timeout(SOON, other.accept()).await.unwrap().unwrap();
    let mut buffer = vec![0; message("2").len()];
    timeout(SOON, stream.read_exact(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(buffer, message("2"));
}

#[tokio::test]
async fn a_stream_that_nobody_accepts_fails() {
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
    let gone = TcpListener::bind(ANY_V4).await.unwrap().local_addr().unwrap();
    let flow = sockets.flow_to(Transport::Tcp, gone).unwrap();
    sockets.send(flow, message("1"));
    assert_eq!(failed(&mut inputs).await, flow);
}

#[tokio::test]
async fn more_streams_than_allowed_of_one_address_are_closed_at_once() {
    let limits = SipLimits { connections_per_stranger: 1, ..SipLimits::default() };
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, limits);
    let mut first = TcpStream::connect(local(&sockets)).await.unwrap();
    first.write_all(&message("1")).await.unwrap();
    let (flow, _) = received(&mut inputs).await;
    let mut second = TcpStream::connect(local(&sockets)).await.unwrap();
    let read = timeout(SOON, second.read(&mut [0; 10])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert_eq!(sockets.counts().connections_refused, 1);
    drop(first);
    assert_eq!(failed(&mut inputs).await, flow);
    let mut third = TcpStream::connect(local(&sockets)).await.unwrap();
    third.write_all(&message("3")).await.unwrap();
    assert_eq!(received(&mut inputs).await.1, message("3"));
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_and_nobody_waits_for_it() {
    let limits = SipLimits { queued_messages: 4, ..SipLimits::default() };
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, limits);
    let mut peer = TcpStream::connect(local(&sockets)).await.unwrap();
    peer.write_all(&message("1")).await.unwrap();
    let (flow, _) = received(&mut inputs).await;
    let cut = async {
        while sockets.counts().connections_cut == 0 {
            sockets.send(flow, vec![b'x'; 60_000]);
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, cut).await.unwrap();
    assert_eq!(failed(&mut inputs).await, flow);
}

#[tokio::test]
async fn a_stream_that_cannot_be_framed_is_closed() {
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
    let mut peer = TcpStream::connect(local(&sockets)).await.unwrap();
    peer.write_all(b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: many\r\n\r\n").await.unwrap();
    let (flow, _) = received(&mut inputs).await;
    sockets.send(flow, b"400".to_vec());
    assert_eq!(failed(&mut inputs).await, flow);
    assert_eq!(sockets.counts().connections_cut, 1);
    let mut answer = [0; 3];
    timeout(SOON, peer.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"400");
}

/// The clock of tokio is stopped and goes on by itself to the next deadline when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_message_that_trickles_in_is_cut_after_ten_seconds_and_a_silent_stream_is_not() {
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
    know_everybody(&sockets);
    let mut slow = TcpStream::connect(local(&sockets)).await.unwrap();
    slow.write_all(&message("whole")).await.unwrap();
    let (flow, _) = inputs
        .recv()
        .await
        .map(|input| match input {
            SipInput::Received { flow, bytes } => (flow, bytes),
            SipInput::FlowFailed { .. } | SipInput::TooLarge { .. } => panic!("cut too early"),
        })
        .unwrap();
    let began = tokio::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(60)).await;
    slow.write_all(b"MESSAGE sip:a").await.unwrap();
    let Some(SipInput::FlowFailed { flow: cut }) = inputs.recv().await else { panic!("not cut") };
    let lasted = began.elapsed();
    assert_eq!(cut, flow);
    assert!((Duration::from_secs(70)..Duration::from_secs(75)).contains(&lasted), "{lasted:?}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let (sockets, _inputs) = bind(Transport::Udp, ANY_V4, SipLimits::default());
    let taken = local(&sockets);
    let error = SipSockets::bind(&[(Transport::Udp, taken)], SipSetup::default()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}

#[tokio::test]
async fn dropping_the_sockets_gives_the_addresses_back() {
    let listen = [(Transport::Udp, ANY_V4), (Transport::Tcp, ANY_V4)];
    let (sockets, mut inputs) = SipSockets::bind(&listen, SipSetup::default()).unwrap();
    let bound = sockets.bound().to_vec();
    drop(sockets);
    assert_eq!(timeout(SOON, inputs.recv()).await.unwrap(), None);
    SipSockets::bind(&bound, SipSetup::default()).unwrap();
}

#[tokio::test]
async fn stun_on_the_sip_port_is_answered_in_both_families_and_is_no_message() {
    for address in [ANY_V4, ANY_V6] {
        let (sockets, mut inputs) = bind(Transport::Udp, address, SipLimits::default());
        let peer = UdpSocket::bind(address).await.unwrap();
        let id = [7; 12];
        peer.send_to(&binding_request(&id), local(&sockets)).await.unwrap();
        let mut buffer = [0; 100];
        let (length, _) = timeout(SOON, peer.recv_from(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(mapped_address(&buffer[..length], &id), Some(peer.local_addr().unwrap()));
        let mut indication = binding_request(&id);
        indication[1] = 0x11;
        peer.send_to(&indication, local(&sockets)).await.unwrap();
        peer.send_to(&message("1"), local(&sockets)).await.unwrap();
        assert_eq!(received(&mut inputs).await.1, message("1"));
        assert_eq!((sockets.counts().stun_answered, sockets.counts().stun_dropped), (1, 1));
    }
}

#[tokio::test]
async fn a_flood_of_stun_is_answered_a_thousand_times_a_second_at_most() {
    let (sockets, _inputs) = bind(Transport::Udp, ANY_V4, SipLimits::default());
    let peer = UdpSocket::bind(ANY_V4).await.unwrap();
    let flood = async {
        while sockets.counts().stun_dropped == 0 {
            peer.send_to(&binding_request(&[7; 12]), local(&sockets)).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let began = std::time::Instant::now();
    timeout(SOON, flood).await.unwrap();
    let seconds = 1 + began.elapsed().as_secs();
    assert!(sockets.counts().stun_answered <= 1_000 * seconds, "{:?}", sockets.counts());
}

#[tokio::test]
async fn how_the_world_sees_us_is_asked_of_a_stun_server() {
    let (sockets, _inputs) = bind(Transport::Udp, ANY_V4, SipLimits::default());
    let seen = timeout(SOON, net::ask_stun(&local(&sockets).to_string())).await.unwrap().unwrap();
    assert_eq!(seen.ip(), ANY_V4.ip());
}

/// Without TLS the address is all that is believed: the connection's own.
#[tokio::test]
async fn requests_to_a_peer_go_by_the_tcp_connection_that_it_opened_if_it_asks_for_that() {
    for (alias, reused) in [(";alias", true), ("", false)] {
        let (desk, mut at_desk) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
        let mut peer = TcpStream::connect(local(&desk)).await.unwrap();
        let listener = TcpListener::bind(ANY_V4).await.unwrap();
        let listening = desk.flow_to(Transport::Tcp, listener.local_addr().unwrap()).unwrap();
        let request = format!(
            "OPTIONS sip:desk SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9:{};branch=z9hG4bK1{alias}\r\n\
             Content-Length: 0\r\n\r\n",
            listening.remote.port()
        );
        peer.write_all(request.as_bytes()).await.unwrap();
        received(&mut at_desk).await;
        desk.send(listening, message("a call"));
        let mut other =
            if reused { peer } else { timeout(SOON, listener.accept()).await.unwrap().unwrap().0 };
        let mut buffer = vec![0; message("a call").len()];
        timeout(SOON, other.read_exact(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(buffer, message("a call"), "{alias}");
    }
}

/// The clock of tokio is stopped and goes on by itself to the next deadline when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_connection_of_ours_is_kept_alive_by_pings_and_given_up_when_the_answers_stay_out() {
    let (sockets, mut inputs) = bind(Transport::Tcp, ANY_V4, SipLimits::default());
    let server = TcpListener::bind(ANY_V4).await.unwrap();
    let flow = sockets.flow_to(Transport::Tcp, server.local_addr().unwrap()).unwrap();
    let began = tokio::time::Instant::now();
    sockets.send(flow, message("1"));
    let (mut peer, _) = server.accept().await.unwrap();
    peer.read_exact(&mut vec![0; message("1").len()]).await.unwrap();
    let mut ping = [0; 4];
    for number in 1..=3 {
        peer.read_exact(&mut ping).await.unwrap();
        assert_eq!(&ping, b"\r\n\r\n");
        let seconds = began.elapsed().as_secs();
        assert!((95 * number..=121 * number).contains(&seconds), "ping {number} after {seconds} s");
        if number == 2 {
            peer.write_all(b"\r\n").await.unwrap();
        }
    }
    let Some(SipInput::FlowFailed { flow: dead }) = inputs.recv().await else { panic!("not cut") };
    assert_eq!((dead, sockets.counts().connections_cut), (flow, 1));
}
