//! What holds with a peer beyond RFC 3261: what is configured for it, and what it says that it can.

use crate::message::{HeaderName, Message};
use crate::ua::wire::{SUPPORTED, Wire};
use crate::ua::{Prack, Towards, Trunk};
use std::time::Duration;

/// The option tag of reliable provisional answers (RFC 3262).
pub(super) const RELIABLE: &str = "100rel";

/// The terms of one session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) prack: Prack,
    /// P-Early-Media is believed of the peer, and sent to it.
    pub(super) p_early_media: bool,
    /// How long a call to it may be answered by nothing but 100, where there is another way.
    pub(super) progress_within: Option<Duration>,
    /// The peer takes UPDATE.
    pub(super) takes_update: bool,
    /// The peer takes INFO.
    pub(super) takes_info: bool,
}

impl Terms {
    pub(super) fn new(wire: &Wire, trunk: Option<&Trunk>) -> Terms {
        Terms {
            prack: trunk.and_then(|trunk| trunk.prack).unwrap_or(wire.config.extensions.prack),
            p_early_media: trunk.is_some_and(|trunk| trunk.p_early_media),
            progress_within: trunk.and_then(|trunk| trunk.progress_within),
            takes_update: false,
            takes_info: false,
        }
    }

    /// With whom we call: two lines may be at one address, and devices behind one.
    pub(super) fn towards(wire: &Wire, towards: &Towards) -> Terms {
        let trunk = match towards {
            Towards::Trunk(name) => wire.config.trunk(name),
            Towards::Flows(_) | Towards::Places(_) => None,
        };
        Terms::new(wire, trunk)
    }

    /// What the peer says of itself. Later words count.
    pub(super) fn learn(&mut self, message: &Message) {
        if message.header(HeaderName::Allow).is_some() {
            let takes = |wanted: &str| {
                message.list(HeaderName::Allow).any(|method| method.eq_ignore_ascii_case(wanted))
            };
            (self.takes_update, self.takes_info) = (takes("UPDATE"), takes("INFO"));
        }
    }

    /// The value of our Supported header.
    pub(super) fn supported(&self) -> String {
        let off = self.prack == Prack::Off;
        let tags: Vec<&str> = SUPPORTED.split(", ").filter(|tag| !(off && *tag == RELIABLE)).collect();
        tags.join(", ")
    }
}

/// Whether an option tag is among those that a message supports or requires.
pub(super) fn names(message: &Message, header: HeaderName, option: &str) -> bool {
    message.list(header).any(|tag| tag.eq_ignore_ascii_case(option))
}
