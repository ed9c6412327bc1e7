//! Who asks, and what they may do.

use crate::problem::Problem;
use crate::routes::App;
use crate::sight::Sight;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use facts::body_of;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

/// Something that a token may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read events and snapshots.
    EventsRead,
    /// Command any call.
    CallAny,
    /// Capture the messages and the media of any call.
    CallCapture,
    /// Record any call.
    Record,
    /// Hear what was recorded.
    RecordingRead,
    /// Have supervisors listen to any call, whisper and barge in.
    Supervise,
    /// Command any agent.
    AgentAny,
    /// See numbers and addresses unmasked.
    PiiClear,
    /// Keep addresses out of SIP, and let them in again.
    SecurityAny,
    /// Close desks by command, and let them go by their calendars again.
    EmergencyAny,
    /// Have what is remembered of callers forgotten.
    CallerForget,
    /// Have the configuration read again.
    ConfigReload,
    /// Read `/metrics` from another machine.
    MetricsRead,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 13] = [
        Scope::EventsRead,
        Scope::CallAny,
        Scope::CallCapture,
        Scope::Record,
        Scope::RecordingRead,
        Scope::Supervise,
        Scope::AgentAny,
        Scope::PiiClear,
        Scope::SecurityAny,
        Scope::EmergencyAny,
        Scope::CallerForget,
        Scope::ConfigReload,
        Scope::MetricsRead,
    ];

    /// As configurations and problem documents write it.
    pub fn name(self) -> &'static str {
        match self {
            Scope::EventsRead => "events:read",
            Scope::CallAny => "call:any",
            Scope::CallCapture => "call:capture",
            Scope::Record => "record",
            Scope::RecordingRead => "recording:read",
            Scope::Supervise => "supervise",
            Scope::AgentAny => "agent:any",
            Scope::PiiClear => "pii:clear",
            Scope::SecurityAny => "security:any",
            Scope::EmergencyAny => "emergency:any",
            Scope::CallerForget => "caller:forget",
            Scope::ConfigReload => "config:reload",
            Scope::MetricsRead => "metrics:read",
        }
    }

    /// Whether a body's token may have it. What crosses the wire, who may use it, and the configuration are what all bodies share.
    pub fn is_for_bodies(self) -> bool {
        !matches!(self, Scope::CallCapture | Scope::SecurityAny | Scope::ConfigReload)
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Somebody who may ask for something. Only the hash of the secret is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    name: String,
    hash: [u8; 32],
    scopes: BTreeSet<Scope>,
}

/// What is wrong with a token's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The hash is not 64 hexadecimal digits.
    NotASha256,
    /// The secret has fewer than 16 characters, so it could be guessed.
    TooShort,
}

impl Token {
    /// As facts and answers call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether both ask by one secret.
    pub fn has_secret_of(&self, other: &Token) -> bool {
        self.hash == other.hash
    }

    /// A token by its secret, of 16 characters at least.
    pub fn from_secret(
        name: &str,
        secret: &str,
        scopes: impl IntoIterator<Item = Scope>,
    ) -> Result<Token, TokenError> {
        if secret.chars().count() < 16 {
            return Err(TokenError::TooShort);
        }
        let hash = Sha256::digest(secret.as_bytes()).into();
        Ok(Token { name: name.to_owned(), hash, scopes: scopes.into_iter().collect() })
    }

    /// A token by the SHA-256 of its secret in hexadecimal, so that no configuration holds a secret.
    pub fn from_sha256(
        name: &str,
        hexadecimal: &str,
        scopes: impl IntoIterator<Item = Scope>,
    ) -> Result<Token, TokenError> {
        let hash = read_hexadecimal(hexadecimal).ok_or(TokenError::NotASha256)?;
        Ok(Token { name: name.to_owned(), hash, scopes: scopes.into_iter().collect() })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenError::NotASha256 => {
                "a token's hash is not 64 hexadecimal digits; make it with: printf %s SECRET | sha256sum"
            }
            TokenError::TooShort => {
                "a token's secret has fewer than 16 characters; make one with: openssl rand -hex 32"
            }
        })
    }
}

impl std::error::Error for TokenError {}

/// Everyone who may ask now: a reload may bring other tokens.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    tokens: watch::Receiver<Arc<[Token]>>,
}

impl Access {
    pub(crate) fn new(tokens: watch::Receiver<Arc<[Token]>>) -> Access {
        Access { tokens }
    }

    /// Who sent these headers from `peer`.
    pub(crate) fn admit(&self, headers: &HeaderMap, peer: Peer) -> Result<Grant, Problem> {
        if self.tokens.borrow().is_empty() {
            return admit_this_machine(headers, peer);
        }
        let secret = bearer(headers).ok_or_else(|| {
            Problem::unauthorized(
                "Send the header Authorization: Bearer TOKEN; a token in the URL is never read.",
            )
        })?;
        self.holder(secret).ok_or_else(|| {
            Problem::unauthorized("The token is not known; ask the installation's administrator for one.")
        })
    }

    /// Looks at every token whatever comes out, so that time tells nothing.
    fn holder(&self, secret: &[u8]) -> Option<Grant> {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let mut found = None;
        for token in self.tokens.borrow().iter() {
            if bool::from(token.hash.ct_eq(&hash)) {
                found = Some(Grant::of(token));
            }
        }
        found
    }

    /// This grant for somebody who stays.
    pub(crate) fn pass(&self, grant: Grant) -> Pass {
        Pass { grant, tokens: self.tokens.clone() }
    }
}

/// The grant of a reader who stays, for as long as the token lasts.
pub(crate) struct Pass {
    grant: Grant,
    tokens: watch::Receiver<Arc<[Token]>>,
}

impl Pass {
    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Whether the token still is what it was when its holder came.
    pub(crate) fn holds(&self) -> bool {
        let tokens = self.tokens.borrow();
        match self.grant.hash {
            None => tokens.is_empty(),
            Some(hash) => tokens.iter().any(|token| {
                token.hash == hash && token.name == self.grant.name && token.scopes == self.grant.scopes
            }),
        }
    }

    /// Waits until it does not hold. Dropping the future loses nothing.
    pub(crate) async fn is_revoked(&mut self) {
        while self.holds() {
            if self.tokens.changed().await.is_err() {
                // Nobody is left who could revoke it.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What the one who asks may do.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    name: String,
    scopes: BTreeSet<Scope>,
    /// Of the token's secret; none where this machine may do all.
    hash: Option<[u8; 32]>,
}

impl Grant {
    fn of(token: &Token) -> Grant {
        Grant { name: token.name.clone(), scopes: token.scopes.clone(), hash: Some(token.hash) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// What is shown: everything, or what is a body's. A token of a body is named after it.
    pub(crate) fn sees(&self) -> Sight {
        Sight(body_of(&self.name).map(str::to_owned))
    }

    /// Refuses whoever asks for a body: this is about what all bodies share.
    pub(crate) fn need_all(&self) -> Result<(), Problem> {
        match self.sees() {
            Sight(None) => Ok(()),
            Sight(Some(body)) => {
                let detail = format!(
                    "The token {:?} is of the body {body:?}, and this is about what all bodies share.",
                    self.name
                );
                Err(Problem::not_permitted(detail))
            }
        }
    }

    /// Refuses, with the scope's name, whoever has it not.
    pub(crate) fn need(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        let detail = format!("The token {:?} lacks the scope {}.", self.name, scope.name());
        Err(Problem::not_permitted(detail).with("missing_scope", scope.name()))
    }
}

impl FromRequestParts<App> for Grant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Grant, Problem> {
        let peer = Peer::of(parts);
        app.access.admit(&parts.headers, peer)
    }
}

/// The address that a connection came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Peer {
    /// The peer that the server noted; nobody in particular if it did not.
    pub(crate) fn of(parts: &Parts) -> Peer {
        parts.extensions.get::<Peer>().copied().unwrap_or(Peer(SocketAddr::from(([0, 0, 0, 0], 0))))
    }

    /// Whether this machine itself asks. A proxy on this machine speaks for others.
    pub(crate) fn is_this_machine(self, headers: &HeaderMap) -> bool {
        let forwarded = headers.contains_key("forwarded") || headers.contains_key("x-forwarded-for");
        self.0.ip().is_loopback() && !forwarded
    }
}

/// Without tokens this machine may do all. A page in a browser here is not this machine's user: it
/// shows itself by its origin, or by the name that it made the browser resolve to loopback.
fn admit_this_machine(headers: &HeaderMap, peer: Peer) -> Result<Grant, Problem> {
    if !peer.is_this_machine(headers) {
        return Err(Problem::unauthorized("No token is configured, so only this machine may ask."));
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("unreadable"));
    let own_page =
        origin.is_none_or(|origin| origin.split_once("://").is_some_and(|(_, at)| Some(at) == host));
    if host.is_some_and(|host| !is_loopback_name(host)) || !own_page {
        return Err(Problem::not_permitted(
            "A page of another site asks. Configure a token, or ask from a program on this machine.",
        ));
    }
    Ok(Grant { name: "this machine".to_owned(), scopes: Scope::ALL.into_iter().collect(), hash: None })
}

fn is_loopback_name(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return ip.is_loopback();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case("localhost")
}

/// RFC 6750 §2.1; the scheme's case does not matter.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, secret) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| secret.trim_ascii())
}

fn read_hexadecimal(text: &str) -> Option<[u8; 32]> {
    let digits = text.trim().as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let mut value = 0;
        for digit in pair {
            value = value * 16 + char::from(*digit).to_digit(16)?;
        }
        *byte = u8::try_from(value).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const HERE: Peer = Peer(SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 40000));

    #[test]
    fn a_token_is_known_by_its_secret_and_by_its_hash_alike() {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(
            Token::from_sha256("crm", hash, []).unwrap().hash,
            <[u8; 32]>::from(Sha256::digest("test"))
        );
        assert_eq!(Token::from_sha256("crm", "9f86", []).unwrap_err(), TokenError::NotASha256);
        assert_eq!(Token::from_sha256("crm", &"g".repeat(64), []).unwrap_err(), TokenError::NotASha256);
        assert_eq!(Token::from_secret("crm", "short", []).unwrap_err(), TokenError::TooShort);
    }

    #[test]
    fn the_secret_admits_and_anything_near_it_does_not() {
        let token = Token::from_secret("crm", "a-secret-of-some-length", [Scope::EventsRead]).unwrap();
        let access = Access::new(watch::channel([token].into()).1);
        for (value, known) in [
            ("Bearer a-secret-of-some-length", true),
            ("bearer  a-secret-of-some-length ", true),
            ("Bearer a-secret-of-some-lengt", false),
            ("Bearer ", false),
            ("Basic a-secret-of-some-length", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            assert_eq!(access.admit(&headers, HERE).is_ok(), known, "{value:?}");
        }
        assert!(access.admit(&HeaderMap::new(), HERE).is_err());
    }

    #[test]
    fn without_tokens_programs_here_may_ask_and_pages_of_other_sites_may_not() {
        let access = Access::new(watch::channel(Arc::default()).1);
        for (host, origin, admitted) in [
            ("127.0.0.1:8080", None, true),
            ("localhost:8080", None, true),
            ("[::1]:8080", None, true),
            ("[::1]", None, true),
            ("localhost:8080", Some("http://localhost:8080"), true),
            ("localhost:8080", Some("http://localhost:3000"), false),
            ("127.0.0.1:8080", Some("https://evil.example"), false),
            ("127.0.0.1:8080", Some("null"), false),
            ("evil.example:8080", None, false),
            ("localhost.evil.example", None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(access.admit(&headers, HERE).is_ok(), admitted, "{host} {origin:?}");
        }
        let mut proxied = HeaderMap::new();
        proxied.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        assert!(access.admit(&proxied, HERE).is_err());
        assert!(access.admit(&HeaderMap::new(), Peer(SocketAddr::from(([192, 0, 2, 1], 1)))).is_err());
    }

    #[test]
    fn scope_names_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
        assert_eq!(Scope::from_name("events:write"), None);
    }
}
