use media::HandshakeTold;
use media_api::Keys;
use std::fmt;

/// What has become of a handshake, on its way to the shard.
#[derive(Clone)]
pub enum Told {
    /// This is to be sent to the peer.
    Datagram(Box<[u8]>),
    /// Both sides have proved themselves: these are the keys of SRTP.
    Keys(Box<Keys>),
    /// It came to nothing, for this reason.
    Failed(String),
    /// The peer has closed it.
    Closed,
}

impl Told {
    /// As the shard takes it.
    pub(crate) fn as_told(&self) -> HandshakeTold<'_> {
        match self {
            Told::Datagram(bytes) => HandshakeTold::Datagram(bytes),
            Told::Keys(keys) => HandshakeTold::Keys(keys.clone()),
            Told::Failed(why) => HandshakeTold::Failed(why.clone()),
            Told::Closed => HandshakeTold::Closed,
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::Datagram(bytes) => write!(f, "Datagram({} bytes)", bytes.len()),
            Told::Keys(keys) => write!(f, "Keys({:?})", keys.terms()),
            Told::Failed(why) => write!(f, "Failed({why})"),
            Told::Closed => f.write_str("Closed"),
        }
    }
}
