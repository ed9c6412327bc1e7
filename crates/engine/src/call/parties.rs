//! Who calls whom, by the rules of numbers of the trunk that the call came by.

use crate::numbering::Numbering;
use numbers::Number;
use sip::ua::Invite;

/// Who calls whom.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    /// As they let themselves be known.
    pub(crate) caller: Number,
    pub(crate) dialled: Number,
}

impl Parties {
    pub(crate) fn of(numbering: &Numbering, invite: &Invite) -> Parties {
        let rules = numbering.of(&invite.peer);
        let caller = match invite.from.as_str() {
            "anonymous" => Number::anonymous(),
            from => rules.read(from).number,
        };
        Parties { caller, dialled: rules.read_dialled(&invite.dialled).number }
    }
}
