//! What a guard is born with.

use super::Rate;
use ipnet::IpNet;
use std::time::Duration;

/// How much strangers and peers may send, and how long who overdoes it is kept out. The defaults are for an
/// exchange on the open Internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardConfig {
    /// Networks that are known although nobody in them has proved anything: they have a peer's budget and are
    /// never banned by a rule, but still need their passwords.
    pub known_nets: Vec<IpNet>,
    /// Messages of one known source.
    pub peer: Rate,
    /// Messages of all strangers together.
    pub strangers: Rate,
    /// Messages of the strangers of one /24 or /48.
    pub prefix: Rate,
    /// Messages of one stranger: an IPv4 address, an IPv6 /64.
    pub stranger: Rate,
    /// Bytes of a stranger's message.
    pub message: usize,
    /// Header fields of a stranger's message.
    pub headers: usize,
    /// Wrong passwords of one stranger: what goes over is a ban.
    pub guesses: Rate,
    /// Passwords that are looked at for one stranger: what goes over is not answered.
    pub guess_pace: Rate,
    /// Passwords that are looked at for one account: of strangers, and, apart from that, wrong ones of those who are
    /// known. What goes over is challenged anew, right or wrong, and not answered at all to who is known.
    pub account_pace: Rate,
    /// The same from one network: a stranger's /24 or /48, the source of one who is known. Less than `account_pace`, or
    /// one network could use up that.
    pub network_pace: Rate,
    /// Requests of one stranger that prove nothing, challenged or not answered: what goes over is a ban.
    pub challenges: Rate,
    /// REGISTERs of one stranger that are read although it is banned for what may be forged.
    pub parole: Rate,
    /// Malformed messages of one stranger: what goes over is a ban.
    pub malformed: Rate,
    /// Messages of one stranger beyond its budget: what goes over is a ban.
    pub flood: Rate,
    /// How long the first ban lasts, the second, and every one after.
    pub bans: [Duration; 3],
    /// New bans, so that forged sources cannot fill the log.
    pub ban_pace: Rate,
}

impl Default for GuardConfig {
    fn default() -> Self {
        let every = |seconds, burst| Rate { every: Duration::from_secs(seconds), burst };
        GuardConfig {
            known_nets: Vec::new(),
            peer: Rate::per_second(20_000, 20_000),
            strangers: Rate::per_second(1000, 2000),
            prefix: Rate::per_second(100, 400),
            stranger: Rate::per_second(20, 100),
            message: 8192,
            headers: 64,
            guesses: every(60, 20),
            guess_pace: every(5, 5),
            account_pace: every(6, 20),
            network_pace: every(30, 10),
            challenges: every(5, 60),
            parole: every(10, 5),
            malformed: every(10, 50),
            flood: Rate::per_second(20, 1000),
            bans: [600, 3600, 24 * 3600].map(Duration::from_secs),
            ban_pace: Rate::per_second(5, 100),
        }
    }
}
