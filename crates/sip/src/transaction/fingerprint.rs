//! What a transaction is found by: RFC 3261 §17.1.3 and §17.2.3, folded into a number of fixed size, so
//! that a peer's long branches cost no memory. The hash is keyed by the seed: nobody outside can aim at
//! a collision.

use crate::message::{Message, Method};
use base::Seed;
use std::hash::{DefaultHasher, Hasher};

const MAGIC_COOKIE: &str = "z9hG4bK";

/// A transaction's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fingerprint(u64, u64);

/// Makes fingerprints.
#[derive(Debug)]
pub(super) struct Fingerprinter {
    keys: [u64; 2],
}

impl Fingerprinter {
    pub(super) fn new(seed: Seed) -> Fingerprinter {
        let mut rng = seed.rng();
        Fingerprinter { keys: [rng.next_u64(), rng.next_u64()] }
    }

    /// Of a request that we send, and of its responses: branch and CSeq method (§17.1.3).
    pub(super) fn client(&self, branch: &str, method: Method<'_>) -> Fingerprint {
        self.of(&["client", branch, method.as_str()])
    }

    /// Of a request that we receive (§17.2.3): branch, sent-by and method; an ACK has its INVITE's. A
    /// branch without the magic cookie is RFC 2543's and says too little.
    pub(super) fn server(&self, request: &Message, method: Method<'_>) -> Option<Fingerprint> {
        let via = request.top_via().ok()?;
        let method = if method == Method::Ack { Method::Invite } else { method };
        match via.branch().filter(|branch| branch.starts_with(MAGIC_COOKIE)) {
            Some(branch) => {
                let port = via.port.unwrap_or(5060).to_string();
                let host = via.host.to_ascii_lowercase();
                Some(self.of(&["server", branch, &host, &port, method.as_str()]))
            }
            None => self.server_2543(request, method),
        }
    }

    /// Of the sender's request whatever way it came (§8.2.2.2): the same one over two ways is merged.
    pub(super) fn origin(&self, request: &Message) -> Option<Fingerprint> {
        let (number, method) = request.cseq().ok()?;
        let tag = request.from().ok()?.tag()?;
        let number = number.to_string();
        Some(self.of(&["origin", tag, request.call_id().ok()?, &number, method.as_str()]))
    }

    fn server_2543(&self, request: &Message, method: Method<'_>) -> Option<Fingerprint> {
        let (number, _) = request.cseq().ok()?;
        let via = request.list(crate::message::HeaderName::Via).next()?;
        let tag = request.from().ok()?.tag().unwrap_or("");
        let number = number.to_string();
        let parts = ["2543", request.uri()?, tag, request.call_id().ok()?, &number, via, method.as_str()];
        Some(self.of(&parts))
    }

    fn of(&self, parts: &[&str]) -> Fingerprint {
        let [one, other] = self.keys.map(|key| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u64(key);
            for part in parts {
                hasher.write(part.as_bytes());
                hasher.write_u8(0xff);
            }
            hasher.finish()
        });
        Fingerprint(one, other)
    }
}
