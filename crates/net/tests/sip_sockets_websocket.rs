//! SIP in WebSockets (RFC 7118) over real loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use futures_util::{SinkExt, StreamExt};
use net::{SipInput, SipLimits};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use sip::ua::Transport;
use std::net::SocketAddr;
use std::sync::Arc;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Another program's client, which asks for these subprotocols.
async fn foreign_client(
    server: SocketAddr,
    protocols: Option<&str>,
) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = format!("ws://{server}/any/path").into_client_request().unwrap();
    if let Some(protocols) = protocols {
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocols.parse().unwrap());
    }
    let stream = TcpStream::connect(server).await.unwrap();
    // What is written one byte at a time is to be sent so.
    stream.set_nodelay(true).unwrap();
    Ok(client_async(request, stream).await?.0)
}

async fn text(client: &mut WebSocketStream<TcpStream>) -> String {
    let came = timeout(SOON, client.next()).await.expect("nothing came in time").unwrap().unwrap();
    came.into_text().unwrap().to_string()
}

#[tokio::test]
async fn one_message_goes_in_each_websocket_message_as_text_or_binary_both_ways() {
    for address in [ANY_V4, ANY_V6] {
        let (sockets, mut inputs) = bind(Transport::Ws, address, SipLimits::default());
        let mut client = foreign_client(local(&sockets), Some("chat, sip")).await.unwrap();
        client.send(Message::binary(message("1"))).await.unwrap();
        client.send(Message::text(String::from_utf8(message("2")).unwrap())).await.unwrap();
        let (flow, bytes) = received(&mut inputs).await;
        assert_eq!((flow.transport, bytes), (Transport::Ws, message("1")));
        assert_eq!(received(&mut inputs).await, (flow, message("2")));
        sockets.send(flow, b"answer".to_vec());
        assert_eq!(text(&mut client).await, "answer");
        sockets.send(flow, vec![b'x', 0xff]);
        let came = timeout(SOON, client.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(came, Message::binary(vec![b'x', 0xff]), "what is no text goes as binary");
        client.close(None).await.unwrap();
        assert_eq!(failed(&mut inputs).await, flow);
    }
}

#[tokio::test]
async fn without_the_subprotocol_sip_nobody_is_let_in() {
    let (sockets, mut inputs) = bind(Transport::Ws, ANY_V4, SipLimits::default());
    for protocols in [None, Some("chat"), Some("sips, sip.2")] {
        match foreign_client(local(&sockets), protocols).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 400, "{protocols:?}"),
            other => panic!("{protocols:?}: {other:?}"),
        }
    }
    until(|| sockets.counts().connections_cut == 3).await;
    assert_eq!(inputs.try_recv(), None);
}

#[tokio::test]
async fn secure_websockets_go_both_ways_between_ourselves() {
    let authority = Authority::new();
    let (server, mut at_server) = bind_tls(Transport::Wss, ANY_V4, authority.server(&["desk.example"]));
    let (client, mut at_client) = bind_tls(Transport::Wss, ANY_V4, authority.client());
    let flow = way(&client, &server);
    client.expect(flow.remote, "desk.example");
    client.send(flow, message("ask"));
    let (back, bytes) = received(&mut at_server).await;
    assert_eq!((back.transport, bytes), (Transport::Wss, message("ask")));
    server.send(back, message("answer"));
    assert_eq!(received(&mut at_client).await, (flow, message("answer")));
}

#[tokio::test]
async fn another_programs_secure_websocket_is_served() {
    let authority = Authority::new();
    let (server, mut inputs) = bind_tls(Transport::Wss, ANY_V4, authority.server(&["desk.example"]));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(authority.ca()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(local(&server)).await.unwrap();
    let name = ServerName::try_from("desk.example").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let mut request = "wss://desk.example/".into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
    let (mut client, _) = client_async(request, stream).await.unwrap();
    client.send(Message::binary(message("1"))).await.unwrap();
    let (flow, bytes) = received(&mut inputs).await;
    assert_eq!(bytes, message("1"));
    server.send(flow, b"answer".to_vec());
    let came = timeout(SOON, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(came.into_text().unwrap().as_str(), "answer");
}

#[tokio::test]
async fn pings_of_either_kind_are_answered_and_are_no_messages() {
    let (sockets, mut inputs) = bind(Transport::Ws, ANY_V4, SipLimits::default());
    let mut client = foreign_client(local(&sockets), Some("sip")).await.unwrap();
    client.send(Message::text("\r\n\r\n")).await.unwrap();
    assert_eq!(text(&mut client).await, "\r\n");
    client.send(Message::Ping(b"there?".to_vec().into())).await.unwrap();
    let came = timeout(SOON, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(came, Message::Pong(b"there?".to_vec().into()));
    client.send(Message::binary(message("1"))).await.unwrap();
    assert_eq!(received(&mut inputs).await.1, message("1"));
}

#[tokio::test]
async fn a_websocket_message_that_is_too_large_or_broken_ends_the_connection() {
    let limits = SipLimits { message: 1_000, ..SipLimits::default() };
    let (sockets, mut inputs) = bind(Transport::Ws, ANY_V4, limits);
    let mut large = foreign_client(local(&sockets), Some("sip")).await.unwrap();
    large.send(Message::binary(vec![b'x'; 1_001])).await.unwrap();
    failed(&mut inputs).await;
    let mut broken = foreign_client(local(&sockets), Some("sip")).await.unwrap();
    broken.get_mut().write_all(&[0xff; 20]).await.unwrap();
    failed(&mut inputs).await;
    assert_eq!(sockets.counts().connections_cut, 2);
}

/// The clock of tokio is stopped and goes on by itself to the next deadline when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_websocket_message_that_trickles_in_is_cut() {
    let (sockets, mut inputs) = bind(Transport::Ws, ANY_V4, SipLimits::default());
    let mut client = foreign_client(local(&sockets), Some("sip")).await.unwrap();
    client.send(Message::binary(message("1"))).await.unwrap();
    received(&mut inputs).await;
    let began = tokio::time::Instant::now();
    let trickle = async {
        // The head of a frame of 100 bytes with its mask, then a byte each second.
        client.get_mut().write_all(&[0x82, 0x80 | 100, 0, 0, 0, 0]).await.unwrap();
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            if client.get_mut().write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let cut = tokio::select! {
        () = trickle => None,
        input = inputs.recv() => input,
    };
    assert!(matches!(cut, Some(SipInput::FlowFailed { .. })), "{cut:?}");
    assert!((10..=21).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_sleeps_is_pinged_and_one_that_died_is_noticed_within_a_minute() {
    let (sockets, mut inputs) = bind(Transport::Ws, ANY_V4, SipLimits::default());
    know_everybody(&sockets);
    let mut client = foreign_client(local(&sockets), Some("sip")).await.unwrap();
    client.send(Message::binary(message("1"))).await.unwrap();
    let (flow, _) = received(&mut inputs).await;
    let began = tokio::time::Instant::now();
    // Reading answers.
    let ping = client.next().await.unwrap().unwrap();
    assert!(ping.is_ping());
    assert!((29..=32).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    client.flush().await.unwrap();
    let Some(SipInput::FlowFailed { flow: dead }) = inputs.recv().await else { panic!("not noticed") };
    assert_eq!(dead, flow);
    assert!((60..=80).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    let mut rest = Vec::new();
    let _ = client.get_mut().read_to_end(&mut rest).await;
}
