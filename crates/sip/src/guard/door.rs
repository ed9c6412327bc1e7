//! What the sockets must know: whom to drop before a message is queued, and whose messages go first.

use super::NetSet;
use ipnet::IpNet;
use std::net::IpAddr;

/// What an address is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It proved itself, or the configuration names its network.
    Known,
    /// Anybody.
    Stranger,
    /// Somebody wrote from its address what a ban stands on, maybe somebody else: of datagrams only a REGISTER is
    /// read, so that it can prove itself.
    Suspected,
    /// Kept out.
    Banned,
}

/// A change of who stands where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The networks that the configuration names; those before are no longer.
    Networks(Vec<IpNet>),
    /// An address proved itself.
    Known(IpAddr),
    /// An address that was known is so no longer.
    Stranger(IpAddr),
    /// A source is kept out.
    Banned {
        /// Which.
        source: IpNet,
        /// Who of it.
        whom: Whom,
    },
    /// A ban is over.
    Lifted(IpNet),
}

/// Who of a source is kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Strangers, but for what may prove them: the evidence may be forged.
    Suspects,
    /// Strangers.
    Strangers,
    /// Also who is known: a person said so.
    Everybody,
}

/// Who stands where, by the changes so far. Asked for every datagram and every accepted connection.
#[derive(Clone, Debug, Default)]
pub struct Door {
    networks: NetSet,
    known: NetSet,
    suspected: NetSet,
    banned: NetSet,
    barred: NetSet,
}

impl Door {
    /// Takes the next change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Networks(networks) => self.networks = networks.iter().copied().collect(),
            Change::Known(ip) => {
                self.known.insert(IpNet::from(ip.to_canonical()));
            }
            Change::Stranger(ip) => self.known.remove(IpNet::from(ip.to_canonical())),
            Change::Banned { source, whom } => {
                let set = match whom {
                    Whom::Suspects => &mut self.suspected,
                    Whom::Strangers => &mut self.banned,
                    Whom::Everybody => &mut self.barred,
                };
                set.insert(*source);
            }
            Change::Lifted(source) => {
                self.suspected.remove(*source);
                self.banned.remove(*source);
                self.barred.remove(*source);
            }
        }
    }

    /// What this address is to us. Who is known is not hurt by what others in its network did; only a person
    /// can keep it out.
    pub fn standing(&self, ip: IpAddr) -> Standing {
        if self.barred.contains(ip) {
            Standing::Banned
        } else if self.networks.contains(ip) || self.known.contains(ip) {
            Standing::Known
        } else if self.banned.contains(ip) {
            Standing::Banned
        } else if self.suspected.contains(ip) {
            Standing::Suspected
        } else {
            Standing::Stranger
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_known_is_kept_out_by_a_person_only() {
        let mut door = Door::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        let standings =
            |door: &Door| ["192.0.2.1", "192.0.2.2", "10.1.1.1"].map(|one| door.standing(ip(one)));
        use Standing::{Banned, Known, Stranger, Suspected};
        door.apply(&Change::Networks(vec![net("10.0.0.0/8")]));
        door.apply(&Change::Known(ip("::ffff:192.0.2.1")));
        assert_eq!(standings(&door), [Known, Stranger, Known]);
        door.apply(&Change::Banned { source: net("192.0.2.0/24"), whom: Whom::Suspects });
        assert_eq!(standings(&door), [Known, Suspected, Known]);
        door.apply(&Change::Banned { source: net("192.0.2.0/24"), whom: Whom::Strangers });
        assert_eq!(standings(&door), [Known, Banned, Known]);
        door.apply(&Change::Stranger(ip("192.0.2.1")));
        assert_eq!(standings(&door), [Banned, Banned, Known]);
        door.apply(&Change::Lifted(net("192.0.2.0/24")));
        door.apply(&Change::Banned { source: net("10.1.1.1/32"), whom: Whom::Everybody });
        assert_eq!(standings(&door), [Stranger, Stranger, Banned]);
        door.apply(&Change::Networks(vec![]));
        door.apply(&Change::Lifted(net("10.1.1.1/32")));
        assert_eq!(standings(&door), [Stranger; 3]);
    }
}
