//! Which codecs each party may speak, and in which order they are offered.

use media_api::Codec;
use sip::ua::Peer;
use std::collections::BTreeMap;

/// Which codecs each party may speak, each list in the order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codecs {
    /// Of whoever has no list of their own.
    pub usual: Vec<Codec>,
    /// By trunk.
    pub trunks: BTreeMap<String, Vec<Codec>>,
    /// By account.
    pub accounts: BTreeMap<String, Vec<Codec>>,
}

impl Default for Codecs {
    /// What telephone networks speak, in Italy A-law first, then what desk phones and browsers have.
    fn default() -> Codecs {
        let usual = vec![Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];
        Codecs { usual, trunks: BTreeMap::new(), accounts: BTreeMap::new() }
    }
}

impl Codecs {
    /// Those of a party.
    pub(crate) fn of(&self, party: &Peer) -> &[Codec] {
        let own = match party {
            Peer::Account(user) => self.accounts.get(user),
            Peer::Trunk(name) => self.trunks.get(name),
            Peer::Open => None,
        };
        own.unwrap_or(&self.usual)
    }
}

/// The same codecs in the order in which they are offered to a party that will be joined with one who speaks, or can
/// speak, the `wished`, best first: what needs no transcoding first, then what needs a table, then the rest.
pub(crate) fn ordered_for(wished: &[Codec], codecs: &[Codec]) -> Vec<Codec> {
    let mut ordered = codecs.to_vec();
    let cost = |codec: &Codec| {
        let far = wished.iter().enumerate().map(|(at, wished)| (wished.distance(*codec), at));
        far.min().map(|(distance, at)| if distance > 1 { (distance, 0) } else { (distance, at) })
    };
    // A stable sort: what is equally near stays in the party's own order.
    ordered.sort_by_key(cost);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use Codec::{G722, Opus, Pcma, Pcmu};

    #[test]
    fn what_needs_no_transcoding_is_offered_first_and_the_rest_in_its_own_order() {
        for (wished, codecs, expected) in [
            (&[][..], &[Pcma, Pcmu, G722][..], &[Pcma, Pcmu, G722][..]),
            (&[Pcmu], &[Pcma, Pcmu], &[Pcmu, Pcma]),
            (&[Pcma], &[Opus, G722, Pcmu], &[Pcmu, Opus, G722]),
            (&[Opus, Pcma], &[Pcma, Pcmu, G722, Opus], &[Opus, Pcma, Pcmu, G722]),
            (&[G722], &[Pcma, Opus], &[Pcma, Opus]),
        ] {
            assert_eq!(ordered_for(wished, codecs), expected, "{wished:?} {codecs:?}");
        }
    }

    #[test]
    fn a_party_without_a_list_of_its_own_has_the_usual_one() {
        let trunks = BTreeMap::from([("telco".to_owned(), vec![Pcma])]);
        let accounts = BTreeMap::from([("anna".to_owned(), vec![Opus, Pcma])]);
        let codecs = Codecs { trunks, accounts, ..Codecs::default() };
        assert_eq!(codecs.of(&Peer::Trunk("telco".to_owned())), [Pcma]);
        assert_eq!(codecs.of(&Peer::Account("anna".to_owned())), [Opus, Pcma]);
        for party in [Peer::Trunk("anna".to_owned()), Peer::Account("telco".to_owned()), Peer::Open] {
            assert_eq!(codecs.of(&party), [Pcma, Pcmu, G722, Opus]);
        }
    }
}
