//! `[guard]`: how much strangers may send, how long who overdoes it is kept out, and who never is. It cannot be
//! switched off.

use super::read::{networks, number, span};
use document::{Document, Section};
use ipnet::IpNet;
use sip::guard::{GuardConfig, Rate};
use std::time::Duration;

/// The shortest first ban: a scanner comes back after less.
const BAN_LEAST: Duration = Duration::from_secs(60);
/// The second ban is so many times the first, as far as the longest allows.
const SECOND: u32 = 6;
/// The largest networks whose strangers are never banned, by the bits of their prefix: more would be a guard
/// that is switched off.
const PREFIX_LEAST_V4: u8 = 8;
const PREFIX_LEAST_V6: u8 = 16;

pub(super) fn guard(document: &mut Document<'_>, root: &mut Section<'_>) -> GuardConfig {
    let mut guard = GuardConfig::default();
    let Some(entry) = root.take("guard") else { return guard };
    let Some(mut section) = document.section(&entry) else { return guard };
    let per_second = number(document, &mut section, "per_second", 1..=1000, 20);
    budgets(&mut guard, u32::try_from(per_second).unwrap_or(20));
    let longest_at = section.place_of("ban_max").or_else(|| section.place_of("ban_min"));
    let [first, _, longest] = guard.bans;
    let first = span(document, &mut section, "ban_min", BAN_LEAST, first);
    let longest = span(document, &mut section, "ban_max", BAN_LEAST, longest);
    if let Some(at) = longest_at.filter(|_| first > longest) {
        document.fault(at, "the longest ban is shorter than the first", "write `ban_min` below `ban_max`");
    }
    guard.bans = [first, first.saturating_mul(SECOND).min(longest), longest];
    guard.known_nets = never_banned(document, &mut section);
    section.finish(document);
    guard
}

/// All budgets of strangers follow from that of one.
fn budgets(guard: &mut GuardConfig, per_second: u32) {
    let default = GuardConfig::default();
    let scaled = |rate: Rate| Rate {
        every: rate.every.saturating_mul(20) / per_second.max(1),
        burst: (rate.burst.saturating_mul(per_second) / 20).max(1),
    };
    guard.stranger = scaled(default.stranger);
    guard.prefix = scaled(default.prefix);
    guard.flood = scaled(default.flood);
    if per_second > 20 {
        guard.strangers = scaled(default.strangers);
    }
}

fn never_banned(document: &mut Document<'_>, section: &mut Section<'_>) -> Vec<IpNet> {
    let at = section.place_of("never_ban");
    let networks = networks(document, section, "never_ban");
    let too_large = |net: &&IpNet| match net {
        IpNet::V4(net) => net.prefix_len() < PREFIX_LEAST_V4,
        IpNet::V6(net) => net.prefix_len() < PREFIX_LEAST_V6,
    };
    if let (Some(at), Some(net)) = (at, networks.iter().find(too_large)) {
        let what = format!("`{net}` is a large part of the Internet, and nobody in it would be kept out");
        document.fault(at, what, "name the networks of your own phones and operators");
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_text;
    use std::path::Path;

    fn of(text: &str) -> GuardConfig {
        load_text("c.toml", text, Path::new("/nowhere")).ok().unwrap().engine.sip.guard
    }

    #[test]
    fn without_a_word_the_guard_is_there_and_what_is_written_by_default_changes_nothing() {
        assert_eq!(of(""), GuardConfig::default());
        let written = "[guard]\nper_second = 20\nban_min = \"10m\"\nban_max = \"24h\"\nnever_ban = []\n";
        assert_eq!(of(written), GuardConfig::default());
    }

    #[test]
    fn what_one_stranger_may_send_gives_the_other_budgets() {
        let (half, tenfold) = (of("[guard]\nper_second = 10\n"), of("[guard]\nper_second = 200\n"));
        assert_eq!(half.stranger, Rate::per_second(10, 50));
        assert_eq!(half.prefix, Rate::per_second(50, 200));
        assert_eq!(half.strangers, GuardConfig::default().strangers);
        assert_eq!(tenfold.stranger, Rate::per_second(200, 1000));
        assert_eq!(tenfold.strangers, Rate::per_second(10_000, 20_000));
        assert_eq!(tenfold.guesses, GuardConfig::default().guesses, "guessing is not a matter of load");
    }

    #[test]
    fn bans_grow_from_the_first_to_the_longest() {
        let minutes = |text: &str| of(text).bans.map(|ban| ban.as_secs() / 60);
        assert_eq!(minutes("[guard]\nban_min = \"1m\"\n"), [1, 6, 1440]);
        assert_eq!(minutes("[guard]\nban_min = \"1h\"\nban_max = \"2h\"\n"), [60, 120, 120]);
        assert_eq!(minutes("[guard]\nban_max = \"10m\"\n"), [10, 10, 10]);
    }
}
