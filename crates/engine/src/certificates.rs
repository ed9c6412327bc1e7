//! Certificates of operators: those that the installation has, and those fetched from where a statement says.
//! Nothing is fetched but from hosts that the administrator named, no call waits for it, and what a caller can
//! make us ask for is bounded.

use crate::Output;
use base::Time;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;
use stir::{Certificate, Fetch, Fetched, Location, certificates_in};

/// What signed statements about callers are verified with.
#[derive(Clone, Debug, Default)]
pub struct TrustStore {
    /// The authorities that are trusted.
    pub roots: Vec<Certificate>,
    /// By the address (`x5u`) at which operators say that their certificates are: their own first.
    pub certificates: BTreeMap<String, Vec<Certificate>>,
    /// The hosts, by name or address, and ports from which other certificates are fetched: nothing is from any
    /// other. An address that is nobody's on the Internet is asked only if it is named itself.
    pub fetch_from: BTreeSet<(String, u16)>,
}

/// Documents that are remembered, those that are on their way and those that could not be had among them.
const KNOWN_MAX: usize = 256;
/// Documents on their way at a time.
const AWAITED_MAX: usize = 16;
/// Documents asked for within a minute, so that a caller cannot have us ask somebody again and again.
const ASKED_MAX: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// A document that has not come by then may be asked for again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one that could not be had is not asked for again.
const FAILED: Duration = Duration::from_secs(60);
/// How long a document is used whose server does not say; the least and the most, whatever it says.
const USED: Duration = Duration::from_secs(3600);
const USED_LEAST: Duration = Duration::from_secs(300);
const USED_MOST: Duration = Duration::from_secs(24 * 3600);

/// On its way: what is judged now is judged again when it has come.
pub(crate) const AWAITED: &str = "certificate_awaited";
const UNLISTED: &str = "certificate_unlisted";
const UNREACHABLE: &str = "certificate_unreachable";
const UNUSABLE: &str = "certificate_unusable";
const TOO_MANY: &str = "certificate_not_asked";

impl TrustStore {
    fn location(&self, url: &str) -> Option<Location> {
        // Only then is it worth reading: most installations fetch nothing.
        let read = (!self.fetch_from.is_empty()).then(|| Location::read(url)).flatten();
        read.filter(|place| self.fetch_from.contains(&(place.host.clone(), place.port)))
    }

    fn private(&self) -> Vec<IpAddr> {
        self.fetch_from.iter().filter_map(|(host, _)| host.parse().ok()).collect()
    }
}

/// What was fetched, by its address.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    known: BTreeMap<String, Known>,
    asked: u32,
    counted_from: Time,
}

#[derive(Debug)]
struct Known {
    found: Result<Vec<Certificate>, &'static str>,
    until: Time,
}

impl Certificates {
    /// Sees to it that the certificate at `url` is there or on its way, as far as it may be fetched.
    pub(crate) fn want(&mut self, now: Time, store: &TrustStore, url: &str, out: &mut VecDeque<Output>) {
        let here = self.known.get(url).is_some_and(|known| now < known.until);
        if here || store.certificates.contains_key(url) {
            return;
        }
        let Some(location) = store.location(url) else { return };
        if !self.may_ask(now) {
            return;
        }
        self.known.insert(url.to_owned(), Known { found: Err(AWAITED), until: now + PATIENCE });
        let fetch = Fetch { url: url.to_owned(), location, private: store.private() };
        out.push_back(Output::Fetch(Box::new(fetch)));
    }

    /// The certificates at `url`, the operator's own first; or the reason for which there are none.
    pub(crate) fn of<'a>(
        &'a self,
        now: Time,
        store: &'a TrustStore,
        url: &str,
    ) -> Result<&'a [Certificate], &'static str> {
        if let Some(ours) = store.certificates.get(url) {
            return Ok(ours);
        }
        store.location(url).ok_or(UNLISTED)?;
        let known = self.known.get(url).filter(|known| now < known.until).ok_or(TOO_MANY)?;
        known.found.as_deref().map_err(|why| *why)
    }

    /// A document came, or none could be had. What nobody waits for is passed over.
    pub(crate) fn fetched(&mut self, now: Time, url: &str, answer: &Fetched) {
        let Some(known) = self.known.get_mut(url).filter(|known| known.found == Err(AWAITED)) else { return };
        *known = match answer {
            Fetched::Failed => Known { found: Err(UNREACHABLE), until: now + FAILED },
            Fetched::Document { bytes, max_age } => {
                let found = certificates_in(bytes);
                let span = max_age.unwrap_or(USED).clamp(USED_LEAST, USED_MOST);
                match found.is_empty() {
                    true => Known { found: Err(UNUSABLE), until: now + FAILED },
                    false => Known { found: Ok(found), until: now + span },
                }
            }
        };
    }

    /// Whether there is room for one more question.
    fn may_ask(&mut self, now: Time) -> bool {
        if now.since(self.counted_from) >= MINUTE {
            (self.counted_from, self.asked) = (now, 0);
        }
        let awaited = self.known.values().filter(|known| known.is_awaited(now)).count();
        if self.asked >= ASKED_MAX || awaited >= AWAITED_MAX {
            return false;
        }
        if self.known.len() >= KNOWN_MAX {
            let others = self.known.iter().filter(|(_, known)| !known.is_awaited(now));
            let Some((first, _)) = others.min_by_key(|(_, known)| known.until) else { return false };
            let first = first.clone();
            self.known.remove(&first);
        }
        self.asked += 1;
        true
    }
}

impl Known {
    fn is_awaited(&self, now: Time) -> bool {
        self.found == Err(AWAITED) && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &[u8] = include_bytes!("../../stir/tests/data/sp.pem");

    fn store() -> TrustStore {
        TrustStore { fetch_from: [("certs.example.it".to_owned(), 443)].into(), ..TrustStore::default() }
    }

    fn at(seconds: u64) -> Time {
        Time::from_millis(1000 * seconds)
    }

    struct Shop {
        certificates: Certificates,
        store: TrustStore,
        out: VecDeque<Output>,
    }

    impl Shop {
        fn new() -> Shop {
            Shop { certificates: Certificates::default(), store: store(), out: VecDeque::new() }
        }

        /// Asks for it; whether something was fetched, and what is known then.
        fn ask(&mut self, seconds: u64, url: &str) -> (bool, Result<usize, &'static str>) {
            self.certificates.want(at(seconds), &self.store, url, &mut self.out);
            let found = self.certificates.of(at(seconds), &self.store, url);
            (self.out.pop_front().is_some(), found.map(<[Certificate]>::len))
        }

        fn answer(&mut self, seconds: u64, url: &str, max_age: u64) {
            let max_age = Some(Duration::from_secs(max_age));
            let answer = Fetched::Document { bytes: PEM.to_vec(), max_age };
            self.certificates.fetched(at(seconds), url, &answer);
        }
    }

    const URL: &str = "https://certs.example.it/sp.pem";

    #[test]
    fn a_certificate_is_fetched_once_and_used_as_long_as_its_server_says_within_limits() {
        for (said, used) in [(0, 300), (600, 600), (1_000_000, 86_400)] {
            let mut shop = Shop::new();
            assert_eq!(shop.ask(0, URL), (true, Err(AWAITED)));
            assert_eq!(shop.ask(1, URL), (false, Err(AWAITED)), "one question is enough");
            shop.answer(2, URL, said);
            assert_eq!(shop.ask(1 + used, URL), (false, Ok(1)), "{said}");
            assert_eq!(shop.ask(2 + used, URL), (true, Err(AWAITED)), "{said}");
        }
    }

    #[test]
    fn nothing_is_fetched_from_where_nobody_said() {
        let mut shop = Shop::new();
        for url in [
            "https://other.example.it/sp.pem",
            "https://certs.example.it:8443/sp.pem",
            "http://certs.example.it/sp.pem",
            "https://certs.example.it@other.example/sp.pem",
            "https://certs.example.it.other.example/sp.pem",
            "https://127.0.0.1/sp.pem",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(shop.ask(0, url), (false, Err(UNLISTED)), "{url}");
        }
        shop.store.fetch_from.clear();
        assert_eq!(shop.ask(0, URL), (false, Err(UNLISTED)));
    }

    #[test]
    fn what_could_not_be_had_or_read_is_asked_for_again_after_a_while() {
        let junk = Fetched::Document { bytes: b"nonsense".to_vec(), max_age: None };
        for (answer, why) in [(Fetched::Failed, UNREACHABLE), (junk, UNUSABLE)] {
            let mut shop = Shop::new();
            assert_eq!(shop.ask(0, URL), (true, Err(AWAITED)));
            shop.certificates.fetched(at(1), URL, &answer);
            assert_eq!(shop.ask(60, URL), (false, Err(why)));
            assert_eq!(shop.ask(61, URL), (true, Err(AWAITED)));
            assert_eq!(shop.ask(72, URL), (true, Err(AWAITED)), "an answer that never came");
        }
    }

    #[test]
    fn a_flood_of_addresses_is_asked_for_slowly_and_remembered_in_bounds() {
        let mut shop = Shop::new();
        let mut asked = 0;
        for number in 0..5_000_u64 {
            let url = format!("{URL}?{number}");
            let (fetches, _) = shop.ask(number / 100, &url);
            asked += u32::from(fetches);
            shop.answer(number / 100, &url, 0);
            assert!(shop.certificates.known.len() <= KNOWN_MAX);
        }
        assert_eq!(asked, ASKED_MAX, "within a minute");
        let mut silent = Shop::new();
        let fetched = (0..100).filter(|number| silent.ask(0, &format!("{URL}?{number}")).0).count();
        assert_eq!(fetched, AWAITED_MAX);
        assert_eq!(silent.ask(0, URL), (false, Err(TOO_MANY)));
        for minute in 0..10 {
            for number in 0..ASKED_MAX {
                let url = format!("{URL}?{minute}-{number}");
                let _ = shop.ask(100 + minute * 60, &url);
                shop.answer(100 + minute * 60, &url, 86_400);
            }
        }
        assert_eq!(shop.certificates.known.len(), KNOWN_MAX);
    }
}
