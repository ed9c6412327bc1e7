//! Requests without credentials: keep-alives of SIP over UDP (RFC 5626 §3.5.2), and how the world sees us.

use std::net::SocketAddr;

use crate::{HEADER, Kind, Message, TransactionId, Writer};

/// The longest request that is read: keep-alives are 20 to 40 bytes, and who sends more wants something else.
const REQUEST_MAX: usize = 256;
/// The longest answer: XOR-MAPPED-ADDRESS of IPv6.
const ANSWER_MAX: usize = HEADER + 4 + 20;

/// The answer to a Binding request that came from `source`: where we saw it come from. Nothing for whatever else:
/// indications, answers, requests that are broken, long, or want something that we do not know. Errors are not
/// told either, so that a forged request makes no more than one small datagram: 32 bytes over IPv4 and 44 over
/// IPv6, to one of 20 at least.
pub fn answer(request: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let message = Message::parse(request)
        .filter(|message| message.kind() == Kind::Request && request.len() <= REQUEST_MAX)?;
    if message.is_signed() || message.required().next().is_some() {
        return None;
    }
    let mut answer = Vec::with_capacity(ANSWER_MAX);
    let _ = Writer::new(&mut answer, Kind::Success, message.id()).mapped_address(source);
    Some(answer)
}

/// A Binding request without attributes.
pub fn binding_request(id: &TransactionId) -> Vec<u8> {
    let mut request = Vec::with_capacity(HEADER);
    let _ = Writer::new(&mut request, Kind::Request, id);
    request
}

/// The address in the answer to a Binding request with this id: how the server sees us. Nothing if it is no such
/// answer.
pub fn mapped_address(answer: &[u8], id: &TransactionId) -> Option<SocketAddr> {
    let message = Message::parse(answer)?;
    let is_the_answer = message.kind() == Kind::Success && message.id() == id;
    message.mapped_address().filter(|_| is_the_answer)
}
