//! STIR/SHAKEN (RFC 8224, 8225, 8226, 8588): a signed statement of an operator about who calls whom, read from
//! an Identity header field and verified against roots that an installation trusts.
//!
//! Nothing here fetches: whoever asks brings the certificates; [`Fetch`] says what is to be fetched. Begin at [`Statement::read`] and [`verify`].

mod certificate;
mod chain;
mod der;
mod fetch;
mod passport;
mod statement;
mod verify;

pub use certificate::{Certificate, Numbers};
pub use chain::{certificates_in, certificates_of};
pub use fetch::{Fetch, Fetched, Location};
pub use passport::{Attestation, Passport};
pub use statement::Statement;
pub use verify::{About, Asked, Fault, Verified, canonical, verify};
