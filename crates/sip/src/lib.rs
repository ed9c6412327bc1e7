//! SIP as machines without I/O: bytes and deadlines in, bytes and events out.

pub mod cause;
pub mod digest;
pub mod framing;
pub mod gruu;
pub mod guard;
mod health;
pub mod identity;
pub mod locate;
pub mod message;
pub mod negotiation;
pub mod referral;
mod registrar;
mod registration;
pub mod sdp;
mod session;
mod subscription;
mod texts;
mod transaction;
pub mod ua;
pub mod uri;
pub mod write;
