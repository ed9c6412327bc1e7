//! Readers of the log: one cursor each, the same frames on both transports.

mod cursor;
mod frame;
mod readers;
pub(crate) mod sse;
pub(crate) mod websocket;

pub(crate) use cursor::{Cursor, Source, Wanted};
pub(crate) use frame::Frame;
pub(crate) use readers::{Readers, Seat};
