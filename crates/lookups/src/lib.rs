//! Who is asked by scripts while a caller waits: an HTTP service, a table in a file, PostgreSQL. Whoever asks never
//! waits, and every question gets one answer within the look-up's deadline. What was answered lately is not asked
//! again, and a source that keeps failing is left alone for a while. Callers' values are written to no log.

mod answer;
mod asking;
mod breaker;
mod cache;
mod check;
mod counting;
mod database;
mod database_connection;
mod http;
mod outside;
mod secret;
mod table;
mod target;

pub use asking::{LookUps, LookedUp};
pub use check::check;
pub use counting::{LookUpCounter, LookUpCounts};
pub use secret::read_secret;
