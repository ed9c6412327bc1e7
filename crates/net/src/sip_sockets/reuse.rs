//! Requests to a peer go by the connection that it opened, if it says that it wants them there (RFC 5923).

use sip::message::{Message, ParseLimits};
use sip::ua::Transport;

/// The port that the sender of a request listens at, if its Via asks for this connection to be used for requests
/// to that port (`alias`, RFC 5923 §7.1). Its host is not believed: that is the address that the connection comes
/// from.
pub(super) fn listening_port(transport: Transport, bytes: &[u8], limits: &ParseLimits) -> Option<u16> {
    if !matches!(transport, Transport::Tcp | Transport::Tls) {
        return None;
    }
    let message = Message::parse(bytes.to_vec(), limits).ok().filter(Message::is_request)?;
    let via = message.top_via().ok()?;
    via.params.get("alias")?;
    Some(via.port.unwrap_or(transport.default_port()))
}
