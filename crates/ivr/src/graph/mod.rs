//! Pictures of a script.

mod layout;
mod mermaid;
mod picture;
mod svg;

pub use mermaid::mermaid;
pub use svg::{live_svg, svg};
