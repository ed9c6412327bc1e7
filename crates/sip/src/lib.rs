//! SIP as machines without I/O: bytes and deadlines in, bytes and events out.

pub mod message;
pub mod ua;
pub mod uri;
pub mod write;
