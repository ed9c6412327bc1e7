//! The side that asks for proof. Its nonces need no memory until they are used: each is a time and a
//! number, sealed with a key of our own.

use super::{Algorithm, Fields, Proof};
use base::{Seed, Time};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a nonce can be used.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// The part of a serial number that counts.
const COUNTED: u64 = 0xffff_ffff;
/// Bytes of a nonce before the seal: the time and the serial number.
const STAMP: usize = 16;

/// Challenges, and checks what comes back.
#[derive(Clone)]
pub struct Verifier {
    realm: String,
    /// The strongest first.
    algorithms: Vec<Algorithm>,
    /// As long as a block of the hash.
    key: [u8; 64],
    serial: u64,
    /// The highest nonce count of each nonce that proved somebody.
    used: BTreeMap<Stamp, u32>,
    nonces_max: usize,
    /// Nonces up to this one were forgotten while they could still be used: they count as stale.
    forgotten: Option<Stamp>,
}

/// When a nonce was made, in microseconds, and which of them it is: 32 bits that tell for whom, 32 that count.
type Stamp = (u64, u64);

/// Somebody proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The user name.
    pub user: String,
    /// As [`Denied::returned`].
    pub returned: bool,
}

/// Somebody did not prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// How.
    pub reason: Reason,
    /// The user name that was claimed.
    pub user: Option<String>,
    /// The nonce is ours, not too old, and was given to the address that it came back from: whoever sent this
    /// hears what is sent there, so that the source is not forged.
    pub returned: bool,
}

/// Why somebody is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There are no digest credentials for our realm: challenge.
    Missing,
    /// The proof is right, but its nonce is too old or not ours: challenge with `stale`.
    Stale,
    /// The proof is right, but has been used before: challenge with `stale`.
    Replayed,
    /// No such user, or another password: challenge.
    Wrong,
    /// Credentials that are no credentials: 400.
    Malformed,
}

impl Verifier {
    /// One for `realm`, which takes proofs by these algorithms only, and remembers at most `nonces_max`
    /// nonces that were used.
    pub fn new(realm: String, mut algorithms: Vec<Algorithm>, seed: Seed, nonces_max: usize) -> Verifier {
        algorithms.sort_unstable_by(|a, b| b.cmp(a));
        let mut key = [0; 64];
        let mut rng = seed.named("sip.digest").rng();
        for chunk in key.chunks_exact_mut(4) {
            chunk.copy_from_slice(&rng.next_u32().to_le_bytes());
        }
        Verifier { realm, algorithms, key, serial: 0, used: BTreeMap::new(), nonces_max, forgotten: None }
    }

    /// The values of WWW-Authenticate or Proxy-Authenticate for the one at `to`, the strongest first
    /// (RFC 8760 §2.3). The nonce serves from any address: devices move, and CGNATs have many.
    pub fn challenge(&mut self, now: Time, stale: bool, to: IpAddr) -> Vec<String> {
        self.serial = (self.serial + 1) & COUNTED;
        let nonce = self.seal((now.micros(), self.mark(to) | self.serial));
        let realm = super::quoted(&self.realm);
        let stale = if stale { ", stale=true" } else { "" };
        let challenge = |algorithm: &Algorithm| {
            let name = algorithm.name();
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}")
        };
        self.algorithms.iter().map(challenge).collect()
    }

    /// Who sent a request with these values of Authorization or Proxy-Authorization from the address `from`.
    /// `password_of` knows the users. The `uri` of the credentials is not compared with the request's: proxies rewrite that.
    pub fn verify<'h, 'p>(
        &mut self,
        now: Time,
        from: IpAddr,
        values: impl IntoIterator<Item = &'h str>,
        method: &str,
        password_of: impl FnOnce(&str) -> Option<&'p str>,
    ) -> Result<Proven, Denied> {
        let realm = super::quoted(&self.realm);
        let fields = values
            .into_iter()
            .filter_map(Fields::of)
            .find(|fields| fields.raw("realm") == Some(realm.as_ref()))
            .ok_or(Denied { reason: Reason::Missing, user: None, returned: false })?;
        let user = fields.plain("username").map(|user| user.into_owned());
        let returned = fields.raw("nonce").is_some_and(|nonce| self.gave(now, nonce, from));
        let denied = |reason| Denied { reason, user: user.clone(), returned };
        let claim = Claim::read(&fields).ok_or_else(|| denied(Reason::Malformed))?;
        let name = user.as_deref().ok_or_else(|| denied(Reason::Malformed))?;
        if !self.algorithms.contains(&claim.algorithm) {
            return Err(denied(Reason::Missing));
        }
        let password = password_of(name);
        // An unknown user costs as much time as a wrong password.
        let right = claim.proves(name, &realm, password.unwrap_or(""), method) & password.is_some();
        if !right {
            return Err(denied(Reason::Wrong));
        }
        match self.use_once(now, claim.nonce, claim.count()) {
            Ok(()) => Ok(Proven { user: name.to_owned(), returned }),
            Err(reason) => Err(denied(reason)),
        }
    }

    fn use_once(&mut self, now: Time, nonce: &str, count: u32) -> Result<(), Reason> {
        self.forget_expired(now);
        let stamp = self.unseal(nonce).ok_or(Reason::Stale)?;
        let forgotten = self.forgotten.is_some_and(|last| stamp <= last);
        if forgotten || now.since(Time::from_micros(stamp.0)) > NONCE_LIFETIME {
            return Err(Reason::Stale);
        }
        match self.used.get_mut(&stamp) {
            Some(highest) if count <= *highest => return Err(Reason::Replayed),
            Some(highest) => *highest = count,
            None => {
                self.used.insert(stamp, count);
            }
        }
        while self.used.len() > self.nonces_max {
            self.forgotten = self.used.pop_first().map(|(stamp, _)| stamp).max(self.forgotten);
        }
        Ok(())
    }

    fn forget_expired(&mut self, now: Time) {
        while let Some(entry) = self.used.first_entry()
            && now.since(Time::from_micros(entry.key().0)) > NONCE_LIFETIME
        {
            entry.remove();
        }
    }

    /// Whether this nonce was given to that address, not too long ago.
    fn gave(&self, now: Time, nonce: &str, to: IpAddr) -> bool {
        let Some((made, serial)) = self.unseal(nonce) else { return false };
        serial & !COUNTED == self.mark(to) && now.since(Time::from_micros(made)) <= NONCE_LIFETIME
    }

    /// The upper half of the serial numbers of nonces for this address.
    fn mark(&self, of: IpAddr) -> u64 {
        let ip = match of {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let sealed = self.sealer(&ip.octets()).finalize().into_bytes();
        let upper = sealed.first_chunk::<4>().copied().unwrap_or_default();
        u64::from(u32::from_be_bytes(upper)) << 32
    }

    fn seal(&self, (time, serial): Stamp) -> String {
        let mut stamp = [0; STAMP];
        for (byte, value) in stamp.iter_mut().zip(time.to_be_bytes().into_iter().chain(serial.to_be_bytes()))
        {
            *byte = value;
        }
        let seal = self.sealer(&stamp).finalize().into_bytes();
        BASE64.encode([stamp.as_slice(), seal.as_slice()].concat())
    }

    fn unseal(&self, nonce: &str) -> Option<Stamp> {
        let bytes = BASE64.decode(nonce).ok()?;
        let (stamp, seal) = bytes.split_first_chunk::<STAMP>()?;
        self.sealer(stamp).verify_slice(seal).ok()?;
        let (time, serial) = stamp.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*time), u64::from_be_bytes(serial.try_into().ok()?)))
    }

    fn sealer(&self, stamp: &[u8; STAMP]) -> Hmac<Sha256> {
        let mut hmac = Hmac::<Sha256>::new(&self.key.into());
        hmac.update(stamp);
        hmac
    }
}

/// What somebody sent as their proof.
struct Claim<'a> {
    algorithm: Algorithm,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    /// The nonce count, as a number and as written, and the client's nonce.
    auth: Option<(u32, &'a str, &'a str)>,
}

impl<'a> Claim<'a> {
    fn read(fields: &Fields<'a>) -> Option<Claim<'a>> {
        let auth = match fields.raw("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let count = fields.raw("nc").filter(|count| count.len() == 8)?;
                Some((u32::from_str_radix(count, 16).ok()?, count, fields.raw("cnonce")?))
            }
            Some(_) => return None,
        };
        Some(Claim {
            algorithm: Algorithm::of(fields.raw("algorithm"))?,
            nonce: fields.raw("nonce")?,
            uri: fields.raw("uri")?,
            response: fields.raw("response")?,
            auth,
        })
    }

    fn proves(&self, user: &str, realm: &str, password: &str, method: &str) -> bool {
        let expected = Proof {
            algorithm: self.algorithm,
            user,
            realm,
            password,
            method,
            uri: self.uri,
            nonce: self.nonce,
            auth: self.auth.map(|(_, count, cnonce)| (count, cnonce)),
        }
        .response();
        expected.as_bytes().ct_eq(self.response.to_ascii_lowercase().as_bytes()).into()
    }

    /// A client without qop does not count: its nonce serves once.
    fn count(&self) -> u32 {
        self.auth.map_or(u32::MAX, |(count, _, _)| count)
    }
}
