//! Telephone numbers: one normal form for callers and services, the forms in which each trunk writes them,
//! and where a number is from.
//!
//! Read [`Rules`] first: it takes what stands in a SIP or tel URI to a [`Number`], and back to what a trunk
//! wants to see.

mod country;
mod italy;
mod number;
mod origin;
mod rules;
mod written;

pub use country::{Country, calling_country, has_calling_code};
pub use number::{Kind, Number};
pub use origin::{Certainty, Origin, Origins, TableFault};
pub use rules::{Arrives, Reading, Rules, Sends};
pub use written::Written;
