//! Who calls, who sent the call here, and what they send along: P-Asserted-Identity, P-Preferred-Identity
//! (RFC 3325), Privacy (RFC 3323), Remote-Party-ID, Diversion (RFC 5806), History-Info (RFC 7044),
//! User-to-User (RFC 7433), Identity (RFC 8224).
//!
//! All of it is what a peer *says*. [`Policy`] tells how much of it is believed, and everything that is kept
//! of it is bounded.

mod caller;
mod date;
mod diversion;
mod party;
mod privacy;
mod shown;
mod user_to_user;

pub use caller::Source;
pub use diversion::{Diversion, DiversionReason};
pub use party::Party;
pub use privacy::Privacy;
pub use shown::{Shown, shown};
pub use user_to_user::UserToUser;

use crate::message::{HeaderName, Message};

/// How much of a peer's word is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// It belongs to our trust domain (RFC 3325 §2.3): what it asserts counts, and what a caller wants
    /// withheld is told to it. If not, only From counts, and nobody else's diversions are believed.
    pub trusted: bool,
    /// The header field that says who calls; the best that is there, if it is not given.
    pub caller_from: Option<Source>,
}

impl Policy {
    /// Of operators' lines.
    pub const TRUSTED: Policy = Policy { trusted: true, caller_from: None };
    /// Of everybody else.
    pub const UNTRUSTED: Policy = Policy { trusted: false, caller_from: None };
}

/// What an INVITE says of who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The caller, as the best header field says, whether or not they may be told on.
    pub caller: Option<Party>,
    /// Which one that was.
    pub source: Source,
    /// The caller does not want to be known: show nothing of `caller` to anybody.
    pub withheld: bool,
    /// The kinds of privacy that were asked for.
    pub privacy: Privacy,
    /// What From says, to be compared; nothing if it names nobody.
    pub from: Option<Party>,
    /// Who is called, as To says: what a statement in the compact form is about (RFC 8224 §4.1).
    pub to: Option<Party>,
    /// Date, in seconds since 1970.
    pub date: Option<i64>,
    /// By whom the call was sent here, the first one first.
    pub diversions: Vec<Diversion>,
    /// What the caller's application sends along.
    pub user_to_user: Option<UserToUser>,
    /// The values of Identity: signed statements about who calls.
    pub passports: Vec<String>,
}

/// The most signed statements that are looked at.
const PASSPORTS_MAX: usize = 4;
/// The longest one.
const PASSPORT_MAX: usize = 8 * 1024;

impl Identity {
    /// Reads the header fields of an INVITE.
    pub fn of(request: &Message, policy: Policy) -> Identity {
        let privacy = Privacy::of(request);
        let (caller, source, hidden) = caller::caller(request, policy);
        let from = request.from().ok();
        let anonymous = from.as_ref().is_some_and(privacy::is_anonymous);
        let nobody = caller.is_none();
        let diversions = if policy.trusted { diversion::diversions(request) } else { Vec::new() };
        let passports = request.list(HeaderName::Identity).filter(|value| value.len() <= PASSPORT_MAX);
        Identity {
            caller,
            source,
            withheld: nobody || hidden || privacy.hides_caller() || (anonymous && !privacy.none),
            privacy,
            from: from.filter(|_| !anonymous).and_then(|from| Party::of(&from)),
            to: request.to().ok().and_then(|to| Party::of(&to)),
            date: request.header(HeaderName::Date).and_then(date::seconds),
            diversions,
            user_to_user: UserToUser::of(request),
            passports: passports.take(PASSPORTS_MAX).map(str::to_owned).collect(),
        }
    }

    /// The caller, as they let themselves be known.
    pub fn shown(&self) -> Option<&Party> {
        self.caller.as_ref().filter(|_| !self.withheld)
    }
}
