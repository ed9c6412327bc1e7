//! What the targets share: peers in the hands of a fuzzer. A peer knows the last messages that it was sent and so
//! can answer them, ask within the same dialog, repeat itself, or send rubbish.

mod peers;
mod step;

pub use peers::Peers;
pub use step::{Act, Step};
