//! TOML with places: files that people write are read whole, and whatever is wrong in them is told at once,
//! each fault with its file, line and column, and what to do about it.

mod fault;
mod reader;
pub mod schema;

pub use fault::Fault;
pub use reader::{Document, Entry, Section, Table, Value, change_texts, nearest};
