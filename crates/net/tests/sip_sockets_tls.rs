//! SIP within TLS over real loopback: who is let in, who is believed, and what renewal does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use net::{SipLimits, SipSetup, SipSockets, TlsPart};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use sip::ua::Transport;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Another program's TLS client, which speaks only these versions.
async fn foreign_client(
    server: SocketAddr,
    ca: &Path,
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TcpStream::connect(server).await?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_in_both_families() {
    let authority = Authority::new();
    let ca = authority.ca();
    let versions = [
        ([&rustls::version::TLS12], ProtocolVersion::TLSv1_2),
        ([&rustls::version::TLS13], ProtocolVersion::TLSv1_3),
    ];
    for address in [ANY_V4, ANY_V6] {
        let tls = authority.server(&["desk.example"]);
        let (sockets, mut inputs) = bind_tls(Transport::Tls, address, tls);
        for (asked, spoken) in &versions {
            let client = foreign_client(local(&sockets), &ca, "desk.example", asked);
            let mut client = client.await.unwrap();
            client.write_all(&message("1")).await.unwrap();
            assert_eq!(client.get_ref().1.protocol_version(), Some(*spoken));
            let (flow, bytes) = received(&mut inputs).await;
            assert_eq!((flow.transport, bytes), (Transport::Tls, message("1")));
            sockets.send(flow, b"answer".to_vec());
            let mut answer = [0; 6];
            timeout(SOON, client.read_exact(&mut answer)).await.unwrap().unwrap();
            assert_eq!(&answer, b"answer");
            drop(client);
            assert_eq!(failed(&mut inputs).await, flow);
        }
    }
}

#[tokio::test]
async fn a_call_goes_out_and_its_answer_comes_back_by_the_same_connection() {
    let authority = Authority::new();
    let (server, mut at_server) = bind_tls(Transport::Tls, ANY_V4, authority.server(&["127.0.0.1"]));
    let (client, mut at_client) = bind_tls(Transport::Tls, ANY_V4, authority.client());
    let flow = way(&client, &server);
    client.send(flow, message("ask"));
    let (back, bytes) = received(&mut at_server).await;
    assert_eq!(bytes, message("ask"));
    server.send(back, message("answer"));
    assert_eq!(received(&mut at_client).await, (flow, message("answer")));
    drop(server);
    assert_eq!(failed(&mut at_client).await, flow);
}

#[tokio::test]
async fn a_server_must_prove_the_name_that_is_expected_or_its_address() {
    let authority = Authority::new();
    let table: [(&str, &[&str], Option<&str>, bool); 9] = [
        ("its domain", &["sip.operator.example"], Some("sip.operator.example"), true),
        ("written otherwise", &["sip.operator.example"], Some("SIP.Operator.Example."), true),
        ("a SIP URI of it (RFC 5922)", &["sip:operator.example"], Some("operator.example"), true),
        ("a SIP URI of somebody there", &["sip:joe@operator.example"], Some("operator.example"), false),
        ("another domain", &["sip.operator.example"], Some("other.example"), false),
        ("a part of the domain only", &["operator.example"], Some("sip.operator.example"), false),
        ("its address", &["127.0.0.1"], None, true),
        ("an address that it has not", &["127.0.0.2"], None, false),
        ("no address where no name is expected", &["sip.operator.example"], None, false),
    ];
    for (what, names, expected, believed) in table {
        let (server, mut at_server) = bind_tls(Transport::Tls, ANY_V4, authority.server(names));
        let (client, mut at_client) = bind_tls(Transport::Tls, ANY_V4, authority.client());
        let flow = way(&client, &server);
        if let Some(name) = expected {
            client.expect(flow.remote, name);
        }
        client.send(flow, message("secret"));
        match believed {
            true => assert_eq!(received(&mut at_server).await.1, message("secret"), "{what}"),
            false => {
                assert_eq!(failed(&mut at_client).await, flow, "{what}");
                assert!(at_server.try_recv().is_none(), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_believed_and_nobody_is_without_any() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (server, _at_server) = bind_tls(Transport::Tls, ANY_V4, other.server(&["127.0.0.1"]));
    for tls in [authority.client(), net::Tls::default()] {
        let (client, mut at_client) = bind_tls(Transport::Tls, ANY_V4, tls);
        let flow = way(&client, &server);
        client.send(flow, message("secret"));
        assert_eq!(failed(&mut at_client).await, flow);
    }
}

#[tokio::test]
async fn a_connection_to_somebody_who_turned_out_to_be_another_is_cut() {
    let authority = Authority::new();
    let (server, mut at_server) = bind_tls(Transport::Tls, ANY_V4, authority.server(&["old.example"]));
    let (client, mut at_client) = bind_tls(Transport::Tls, ANY_V4, authority.client());
    let flow = way(&client, &server);
    client.expect(flow.remote, "old.example");
    client.send(flow, message("1"));
    received(&mut at_server).await;
    client.expect(flow.remote, "new.example");
    assert_eq!(failed(&mut at_client).await, flow);
}

#[tokio::test]
async fn where_clients_need_a_certificate_those_without_or_of_others_are_not_heard() {
    let (authority, other) = (Authority::new(), Authority::new());
    let ca = authority.ca();
    let tls = read(Some(authority.sign("server", &["127.0.0.1"])), &[&ca], &[]).unwrap();
    let (server, mut at_server) = bind_tls(Transport::Tls, ANY_V4, tls);
    let clients = [
        ("none", authority.client(), false),
        ("another authority's", read(Some(other.sign("c", &["c.example"])), &[], &[&ca]).unwrap(), false),
        ("a good one", read(Some(authority.sign("c", &["c.example"])), &[], &[&ca]).unwrap(), true),
    ];
    for (what, tls, heard) in clients {
        let (client, mut at_client) = bind_tls(Transport::Tls, ANY_V4, tls);
        let flow = way(&client, &server);
        client.send(flow, message("1"));
        if heard {
            assert_eq!(received(&mut at_server).await.1, message("1"), "{what}");
        } else {
            assert_eq!(failed(&mut at_client).await, flow, "{what}");
            assert!(at_server.try_recv().is_none(), "{what}");
        }
    }
    assert_eq!(server.counts().connections_cut, 2);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_the_next_and_the_connections_that_are_there_go_on() {
    let authority = Authority::new();
    let both = [&rustls::version::TLS13, &rustls::version::TLS12];
    let (server, mut at_server) = bind_tls(Transport::Tls, ANY_V4, authority.server(&["old.example"]));
    let old = foreign_client(local(&server), &authority.ca(), "old.example", &both).await;
    let mut old = old.unwrap();
    old.write_all(&message("before")).await.unwrap();
    received(&mut at_server).await;
    server.renew(authority.server(&["new.example"]));
    let ca = authority.ca();
    assert!(foreign_client(local(&server), &ca, "old.example", &both).await.is_err());
    let mut new = foreign_client(local(&server), &ca, "new.example", &both).await.unwrap();
    new.write_all(&message("new")).await.unwrap();
    assert_eq!(received(&mut at_server).await.1, message("new"));
    old.write_all(&message("after")).await.unwrap();
    assert_eq!(received(&mut at_server).await.1, message("after"));
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_with_the_reason() {
    let authority = Authority::new();
    let good = authority.sign("good", &["a.example"]);
    let other = authority.sign("other", &["a.example"]);
    let old = authority.sign_until("old", &["a.example"], 2001);
    let (absent, ca) = (authority.path("absent.pem"), authority.ca());
    let table = [
        (read(Some((absent.clone(), good.1.clone())), &[], &[]), TlsPart::Certificate, "No such file"),
        (read(Some((good.1.clone(), good.1.clone())), &[], &[]), TlsPart::Certificate, "there is none in it"),
        (read(Some((good.0.clone(), good.0.clone())), &[], &[]), TlsPart::Key, "there is none in it"),
        (read(Some((good.0.clone(), other.1)), &[], &[]), TlsPart::Key, "does not fit"),
        (read(Some(old), &[], &[]), TlsPart::Certificate, "it expired on"),
        (read(Some(good.clone()), &[&good.1], &[]), TlsPart::ClientCa, "there is none in it"),
        (read(None, &[], &[&ca, &absent]), TlsPart::Ca, "No such file"),
    ];
    for (outcome, part, why) in table {
        let fault = outcome.unwrap_err();
        assert_eq!(fault.part, part, "{fault}");
        assert!(fault.what.contains(why), "{fault}");
    }
    let tls = read(Some(good), &[], &[&ca]).unwrap();
    assert!(tls.can_listen() && tls.expires_in().unwrap().as_secs() > 365 * 24 * 3600);
}

#[tokio::test]
async fn half_open_handshakes_of_one_source_are_limited_and_those_done_do_not_count() {
    let authority = Authority::new();
    let both = [&rustls::version::TLS13, &rustls::version::TLS12];
    let ca = authority.ca();
    let limits = SipLimits { handshakes_per_address: 2, ..SipLimits::default() };
    let setup = SipSetup { limits, tls: authority.server(&["a.example"]), streams: None };
    let (server, mut inputs) = SipSockets::bind(&[(Transport::Tls, ANY_V4)], setup).unwrap();
    let mut talking = Vec::new();
    for number in 0..3 {
        let mut client = foreign_client(local(&server), &ca, "a.example", &both).await.unwrap();
        client.write_all(&message(&number.to_string())).await.unwrap();
        received(&mut inputs).await;
        talking.push(client);
    }
    let silent = [
        TcpStream::connect(local(&server)).await.unwrap(),
        TcpStream::connect(local(&server)).await.unwrap(),
    ];
    let mut third = TcpStream::connect(local(&server)).await.unwrap();
    let read = timeout(SOON, third.read(&mut [0; 10])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert_eq!(server.counts().connections_refused, 1);
    drop(silent);
    until(|| server.counts().connections_cut == 2).await;
    let mut client = foreign_client(local(&server), &ca, "a.example", &both).await.unwrap();
    client.write_all(&message("again")).await.unwrap();
    assert_eq!(received(&mut inputs).await.1, message("again"));
}

#[tokio::test]
async fn a_port_of_tls_without_a_certificate_is_ours_and_lets_nobody_in() {
    let authority = Authority::new();
    let (client, _inputs) = bind_tls(Transport::Tls, ANY_V4, authority.client());
    assert_ne!(local(&client).port(), 0);
    assert!(TcpStream::connect(local(&client)).await.is_err());
}

/// RFC 5923: what a peer that showed its certificate wants to come by its own connection, comes by it.
#[tokio::test]
async fn requests_to_a_peer_go_by_the_connection_that_it_opened_if_its_certificate_is_the_expected_one() {
    let authority = Authority::new();
    let ca = authority.ca();
    for (name, reused) in [("operator.example", true), ("other.example", false)] {
        let tls = read(Some(authority.sign("desk", &["127.0.0.1"])), &[&ca], &[&ca]).unwrap();
        let (desk, mut at_desk) = bind_tls(Transport::Tls, ANY_V4, tls);
        let tls = read(Some(authority.sign("op", &["operator.example"])), &[], &[&ca]).unwrap();
        let (operator, mut at_operator) = bind_tls(Transport::Tls, ANY_V4, tls);
        let listening = way(&desk, &operator);
        desk.expect(listening.remote, name);
        let request = format!(
            "OPTIONS sip:desk SIP/2.0\r\nVia: SIP/2.0/TLS x.invalid:{};branch=z9hG4bK1;alias\r\n\
             Content-Length: 0\r\n\r\n",
            listening.remote.port()
        );
        let opened = way(&operator, &desk);
        operator.send(opened, request.into_bytes());
        let (accepted, _) = received(&mut at_desk).await;
        desk.send(listening, message("a call"));
        if reused {
            assert_eq!(received(&mut at_operator).await, (opened, message("a call")));
            drop(operator);
            let mut gone = [failed(&mut at_desk).await, failed(&mut at_desk).await];
            gone.sort();
            let mut both = [accepted, listening];
            both.sort();
            assert_eq!(gone, both, "whoever sent by either name learns of the end");
        } else {
            assert_eq!(
                failed(&mut at_desk).await,
                listening,
                "a connection of our own is tried, and refused"
            );
        }
    }
}

/// The clock of tokio is stopped and goes on by itself to the next deadline when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_end_is_cut_after_five_seconds() {
    let authority = Authority::new();
    for transport in [Transport::Tls, Transport::Ws, Transport::Wss] {
        let (server, _inputs) = bind_tls(transport, ANY_V4, authority.server(&["a.example"]));
        let began = tokio::time::Instant::now();
        let mut peer = TcpStream::connect(local(&server)).await.unwrap();
        peer.write_all(if transport == Transport::Ws { b"GET / HTTP/1.1\r\n" } else { b"\x16\x03\x01" })
            .await
            .unwrap();
        let read = peer.read(&mut [0; 10]).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
        let lasted = began.elapsed().as_millis();
        assert!((5_000..6_000).contains(&lasted), "{transport:?}: {lasted} ms");
        assert_eq!(server.counts().connections_cut, 1);
    }
}
