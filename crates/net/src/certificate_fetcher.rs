//! Certificates of operators, fetched over HTTPS from where a statement about a caller says that they are. Whoever
//! asks never waits, and every question gets an answer within a stated time. No redirection is followed, and no
//! address is asked that is nobody's on the Internet, unless the administrator named it: a caller chooses what
//! we ask for, and must not reach by us what they cannot reach themselves.

use crate::Tls;
use crate::resolver::lookup_addresses;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CACHE_CONTROL, HOST, HeaderMap, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use stir::{Fetch, Fetched, Location};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsConnector;

/// Documents that are fetched at a time; one more cannot be had.
const AT_ONCE: usize = 16;
/// How long one document may take, from the name to its last byte.
const WHOLE: Duration = Duration::from_secs(3);
/// How long one address may take to take a connection, if there are others.
const CONNECT: Duration = Duration::from_secs(1);
/// The largest document.
const BYTES_MAX: usize = 64 * 1024;
/// The largest head of an answer.
const HEAD_MAX: usize = 16 * 1024;
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// What came of a question: its address, and the document.
pub type FetchedCertificate = (String, Fetched);

/// The way to those who ask.
#[derive(Debug)]
pub struct CertificateFetcher {
    shared: Arc<Shared>,
    slots: Arc<Semaphore>,
    runtime: Handle,
    answers: mpsc::UnboundedSender<FetchedCertificate>,
}

#[derive(Debug)]
struct Shared {
    tls: RwLock<Tls>,
    name_servers: Vec<SocketAddr>,
}

impl CertificateFetcher {
    /// Fetches on `runtime`, with the authorities of `tls`, asking these name servers (the system's if there are
    /// none). Answers come by the receiver: one for each question.
    pub fn new(
        runtime: Handle,
        tls: Tls,
        name_servers: Vec<SocketAddr>,
    ) -> (CertificateFetcher, mpsc::UnboundedReceiver<FetchedCertificate>) {
        let (answers, told) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { tls: RwLock::new(tls), name_servers });
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        (CertificateFetcher { shared, slots, runtime, answers }, told)
    }

    /// Trusts these authorities from now on.
    pub fn renew(&self, tls: Tls) {
        *self.shared.tls.write().unwrap_or_else(PoisonError::into_inner) = tls;
    }

    /// Asks. Never waits.
    pub fn fetch(&self, fetch: Fetch) {
        let (answers, shared) = (self.answers.clone(), self.shared.clone());
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            let _ = answers.send((fetch.url, Fetched::Failed));
            return;
        };
        self.runtime.spawn(async move {
            let done = tokio::time::timeout(WHOLE, document(&shared, &fetch)).await;
            let done = done.unwrap_or_else(|_| Err(format!("nothing came within {} s", WHOLE.as_secs())));
            let answer = done.unwrap_or_else(|why| {
                tracing::info!(url = fetch.url, "a certificate could not be fetched: {why}");
                Fetched::Failed
            });
            drop(slot);
            let _ = answers.send((fetch.url, answer));
        });
    }
}

async fn document(shared: &Shared, fetch: &Fetch) -> Result<Fetched, String> {
    let Location { host, port, path } = &fetch.location;
    let stream = connect(&addresses(shared, fetch).await?, *port).await?;
    let tls = shared.tls.read().unwrap_or_else(PoisonError::into_inner).client.clone();
    let tls = tls.ok_or("nobody is trusted; name authorities as `fetch_ca` under [trust]")?;
    let name = ServerName::try_from(host.clone()).map_err(|error| error.to_string())?;
    let pipe = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| error.to_string())?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    get(pipe, &format!("{host}:{port}"), path).await
}

/// The addresses that may be asked.
async fn addresses(shared: &Shared, fetch: &Fetch) -> Result<Vec<IpAddr>, String> {
    let host = &fetch.location.host;
    let found = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => lookup_addresses(&shared.name_servers, host).await?,
    };
    let may = |ip: &IpAddr| is_public(*ip) || fetch.private.contains(&ip.to_canonical());
    let allowed: Vec<IpAddr> = found.iter().copied().filter(may).take(ADDRESSES_MAX).collect();
    match (found.first(), allowed.is_empty()) {
        (None, _) => Err(format!("{host} has no address")),
        (Some(first), true) => Err(format!(
            "{host} is at {first}, which is nobody's on the Internet; if that is right, add \"{first}\" to `fetch_from`"
        )),
        (Some(_), false) => Ok(allowed),
    }
}

async fn connect(addresses: &[IpAddr], port: u16) -> Result<TcpStream, String> {
    let mut why = String::new();
    for address in addresses {
        match tokio::time::timeout(CONNECT, TcpStream::connect((*address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => why = format!("{address}: {error}"),
            Err(_) => why = format!("{address} does not answer"),
        }
    }
    Err(why)
}

async fn get(pipe: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> Result<Fetched, String> {
    let told = |error: hyper::Error| error.to_string();
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_MAX).handshake(TokioIo::new(pipe)).await.map_err(told)?;
    let request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("Cornetta/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/pem-certificate-chain, application/pkix-cert, */*;q=0.1")
        .body(String::new())
        .map_err(|error| error.to_string())?;
    let talk = async {
        let answer = sender.send_request(request).await.map_err(told)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the server answers {}", answer.status()));
        }
        let max_age = max_age(answer.headers());
        Ok(Fetched::Document { bytes: read(answer.into_body()).await?, max_age })
    };
    tokio::pin!(talk);
    tokio::select! {
        biased;
        done = &mut talk => done,
        // It ends before the last piece is read; what it broke with is told by the talk.
        _ = connection => talk.await,
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|ctx| Pin::new(&mut body).poll_frame(ctx)).await {
        let frame = frame.map_err(|error| error.to_string())?;
        let Some(piece) = frame.data_ref() else { continue };
        if bytes.len() + piece.len() > BYTES_MAX {
            return Err(format!("the document is larger than {} kB", BYTES_MAX / 1024));
        }
        bytes.extend_from_slice(piece);
    }
    Ok(bytes)
}

/// How long an answer may be used (RFC 9111 §5.2.2); nothing if it does not say.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> =
        values.flat_map(|value| value.split(',')).map(|word| word.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|word| word == "no-store" || word == "no-cache") {
        return Some(Duration::ZERO);
    }
    let seconds = directives.iter().find_map(|word| word.strip_prefix("max-age="));
    seconds.and_then(|seconds| seconds.trim_matches('"').parse().ok()).map(Duration::from_secs)
}

/// Whether an address is somebody's on the Internet (the IANA registries of special-purpose addresses, RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a, b & 0xc0) == (100, 64)
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a, b & 0xfe) == (198, 18);
    !special
}

/// Of what is given to anybody (2000::/3), without documentation, benchmarks and the ways into IPv4.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let special = a == 0x2002 || (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || (a == 0x3fff && b < 0x1000);
    a & 0xe000 == 0x2000 && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_somebodys_on_the_internet_or_it_is_not_asked() {
        for public in
            ["8.8.8.8", "151.1.1.1", "192.0.1.1", "2a00:1450::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn how_long_a_document_is_used_is_read_from_what_the_server_says() {
        for (said, age) in [
            (None, None),
            (Some("max-age=600"), Some(600)),
            (Some("public, Max-Age=\"60\""), Some(60)),
            (Some("no-store, max-age=600"), Some(0)),
            (Some("private"), None),
            (Some("max-age=soon"), None),
            (Some("max-age=99999999999999999999999"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(CACHE_CONTROL, said.parse().unwrap());
            }
            assert_eq!(max_age(&headers), age.map(Duration::from_secs), "{said:?}");
        }
    }
}
