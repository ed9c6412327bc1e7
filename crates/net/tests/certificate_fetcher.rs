//! Certificates over HTTPS, from a server that answers whatever a test wants.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use net::CertificateFetcher;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stir::{Fetch, Fetched, Location};
use support::{Authority, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// A server of these names that gives this answer to whoever asks; its port. It tells what it was asked.
async fn server(
    authority: &Authority,
    names: &[&str],
    answer: &'static str,
) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (certificate, key) = authority.sign("web", names);
    let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let _ = asked.send(String::from_utf8_lossy(&request[..read]).into_owned());
            if answer.is_empty() {
                // Says nothing, and keeps the connection.
                std::future::pending::<()>().await;
            }
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, told)
}

fn question(host: &str, port: u16, private: &[&str]) -> Fetch {
    let url = format!("https://{host}:{port}/sp.pem");
    let private: Vec<IpAddr> = private.iter().map(|text| text.parse().unwrap()).collect();
    Fetch { location: Location::read(&url).unwrap(), url, private }
}

async fn ask(authority: &Authority, fetch: Fetch) -> Fetched {
    let (fetcher, mut told) = CertificateFetcher::new(Handle::current(), authority.client(), Vec::new());
    fetcher.fetch(fetch.clone());
    let (url, answer) = timeout(SOON, told.recv()).await.unwrap().unwrap();
    assert_eq!(url, fetch.url);
    answer
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 3\r\n\r\npem";

#[tokio::test]
async fn a_document_comes_with_the_time_for_which_it_may_be_used() {
    let authority = Authority::new();
    let (port, mut asked) = server(&authority, &["127.0.0.1", "localhost"], GOOD).await;
    for host in ["127.0.0.1", "localhost"] {
        let answer = ask(&authority, question(host, port, &["127.0.0.1", "::1"])).await;
        let max_age = Some(Duration::from_secs(600));
        assert_eq!(answer, Fetched::Document { bytes: b"pem".to_vec(), max_age }, "{host}");
        let request = asked.recv().await.unwrap().to_ascii_lowercase();
        assert!(request.starts_with("get /sp.pem http/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("host: {host}:{port}\r\n")), "{request}");
    }
    let pieces = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\npe\r\n1\r\nm\r\n0\r\n\r\n";
    let (port, _asked) = server(&authority, &["127.0.0.1"], pieces).await;
    let answer = ask(&authority, question("127.0.0.1", port, &["127.0.0.1"])).await;
    assert_eq!(answer, Fetched::Document { bytes: b"pem".to_vec(), max_age: None });
}

#[tokio::test]
async fn an_address_that_is_nobodys_on_the_internet_is_not_even_called() {
    let authority = Authority::new();
    let (port, mut asked) = server(&authority, &["127.0.0.1", "localhost"], GOOD).await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        assert_eq!(ask(&authority, question(host, port, &["10.0.0.1"])).await, Fetched::Failed, "{host}");
    }
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn whoever_is_not_proved_to_be_the_host_gives_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (port, mut asked) = server(&authority, &["certs.example.it"], GOOD).await;
    assert_eq!(ask(&authority, question("127.0.0.1", port, &["127.0.0.1"])).await, Fetched::Failed);
    let (port_of_other, mut asked_other) = server(&other, &["127.0.0.1"], GOOD).await;
    let fetch = question("127.0.0.1", port_of_other, &["127.0.0.1"]);
    assert_eq!(ask(&authority, fetch).await, Fetched::Failed);
    assert!(asked.try_recv().is_err() && asked_other.try_recv().is_err());
}

#[tokio::test]
async fn what_is_no_plain_answer_of_a_small_size_is_none() {
    let authority = Authority::new();
    let large: &'static str = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n{}\r\n0\r\n\r\n",
        "x".repeat(65_537)
    )
    .leak();
    let headers: &'static str =
        format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 3\r\n\r\npem", "x".repeat(20_000)).leak();
    for answer in [
        "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/other.pem\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\npem",
        "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\ncut off",
        "nonsense\r\n\r\n",
        large,
        headers,
    ] {
        let (port, _asked) = server(&authority, &["127.0.0.1"], answer).await;
        let found = ask(&authority, question("127.0.0.1", port, &["127.0.0.1"])).await;
        assert_eq!(found, Fetched::Failed, "{}", &answer[..40.min(answer.len())]);
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time_and_keeps_only_so_many_places() {
    let authority = Authority::new();
    let (port, _asked) = server(&authority, &["127.0.0.1"], "").await;
    let (fetcher, mut told) = CertificateFetcher::new(Handle::current(), authority.client(), Vec::new());
    let began = Instant::now();
    for _ in 0..20 {
        fetcher.fetch(question("127.0.0.1", port, &["127.0.0.1"]));
    }
    for _ in 0..4 {
        assert_eq!(
            timeout(Duration::from_millis(500), told.recv()).await.unwrap().unwrap().1,
            Fetched::Failed
        );
    }
    for _ in 0..16 {
        assert_eq!(timeout(SOON, told.recv()).await.unwrap().unwrap().1, Fetched::Failed);
    }
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn without_an_authority_nobody_is_believed() {
    let authority = Authority::new();
    let (port, mut asked) = server(&authority, &["127.0.0.1"], GOOD).await;
    let (fetcher, mut told) = CertificateFetcher::new(Handle::current(), net::Tls::default(), Vec::new());
    fetcher.fetch(question("127.0.0.1", port, &["127.0.0.1"]));
    assert_eq!(timeout(SOON, told.recv()).await.unwrap().unwrap().1, Fetched::Failed);
    fetcher.renew(authority.client());
    fetcher.fetch(question("127.0.0.1", port, &["127.0.0.1"]));
    assert!(matches!(timeout(SOON, told.recv()).await.unwrap().unwrap().1, Fetched::Document { .. }));
    assert!(asked.recv().await.is_some());
}
