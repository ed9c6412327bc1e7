//! STIR/SHAKEN (RFC 8224, 8225, 8226, 8588): a signed statement of an operator about who calls whom, read from
//! an Identity header field and verified against roots that an installation trusts.
//!
//! Nothing here fetches: whoever asks brings the certificates. Begin at [`Statement::read`] and [`verify`].

mod certificate;
mod chain;
mod der;
mod passport;
mod statement;
mod verify;

pub use certificate::{Certificate, Numbers};
pub use chain::certificates_of;
pub use passport::{Attestation, Passport};
pub use statement::Statement;
pub use verify::{Asked, Fault, Verified, verify};
