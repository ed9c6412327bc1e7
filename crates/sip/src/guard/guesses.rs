//! How fast passwords are looked at: at one account, and at one account from one network, so that no network uses up
//! what an account has, and nobody guesses for ever because somebody else at their address is known.

use super::rate::Bucket;
use super::sources::{Sources, key_of, prefix_of, source_of};
use super::{Attempt, GuardConfig};
use base::Time;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Networks and accounts with a pace of their own in a table, twice at most.
const PACES: usize = 16_384;
/// Accounts that one network is told apart by, so that it cannot push others out by naming many. Names that are
/// nobody's are among them: they must not be told from accounts by what is answered.
const CELLS: u64 = 256;

/// A network, and the cell of an account.
type Aimed = ((u8, u128), u64);

#[derive(Debug)]
pub(super) struct Guesses {
    aimed: Sources<Bucket, Aimed>,
    /// Of strangers, at the accounts that exist.
    by_strangers: BTreeMap<String, Bucket>,
    /// Of those who are known, at whatever they name.
    by_known: Sources<Bucket, u64>,
}

impl Guesses {
    pub(super) fn new() -> Guesses {
        Guesses { aimed: Sources::new(PACES), by_strangers: BTreeMap::new(), by_known: Sources::new(PACES) }
    }

    /// These accounts exist; what was guessed at those that stay is remembered.
    pub(super) fn keep(&mut self, accounts: impl IntoIterator<Item = String>) {
        let before = std::mem::take(&mut self.by_strangers);
        let kept = |user: &String| before.get(user).copied().unwrap_or_default();
        self.by_strangers = accounts.into_iter().map(|user| (user.clone(), kept(&user))).collect();
    }

    /// Whether a stranger's proof is looked at. Right ones count too: what is refused must not tell which it was.
    /// The account's pace is touched last, so that the many sources of one network cannot use it up.
    pub(super) fn stranger_is_heard(
        &mut self,
        now: Time,
        ip: IpAddr,
        user: &str,
        config: &GuardConfig,
    ) -> bool {
        self.aimed.at(aimed(prefix_of(ip), user)).take(now, config.network_pace)
            && self.by_strangers.get_mut(user).is_none_or(|bucket| bucket.take(now, config.account_pace))
    }

    /// The same of who is known. Only wrong ones count: an office whose devices all come back is not slowed.
    pub(super) fn known_is_heard(
        &mut self,
        now: Time,
        ip: IpAddr,
        attempt: Attempt<'_>,
        config: &GuardConfig,
    ) -> bool {
        let near = self.aimed.at(aimed(source_of(ip), attempt.user));
        let far = self.by_known.at(hash(attempt.user));
        match attempt.right {
            true => near.has(now, config.network_pace) && far.has(now, config.account_pace),
            false => near.take(now, config.network_pace) && far.take(now, config.account_pace),
        }
    }

    /// How many paces are remembered, besides those of the accounts.
    pub(super) fn len(&self) -> usize {
        self.aimed.len() + self.by_known.len()
    }
}

fn aimed(network: IpNet, user: &str) -> Aimed {
    (key_of(network), hash(user) % CELLS)
}

/// FNV-1a. Who makes two names fall together only guesses at both as slowly as at one.
fn hash(user: &str) -> u64 {
    user.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
