//! A reader and writer of SIP of the phones' own. It shares nothing with the exchange's, so that a mistake
//! there is not made here too. It reads what the exchange writes and no more.

use std::net::{IpAddr, SocketAddr};

/// A message, as text that was not copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) first: &'a str,
    head: &'a str,
    pub(crate) body: &'a str,
}

impl<'a> Message<'a> {
    /// Splits a message; nothing if it is not text or has no end of its headers.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Message<'a>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let (first, head) = head.split_once("\r\n")?;
        (first.starts_with("SIP/2.0 ") || first.ends_with(" SIP/2.0")).then_some(Message {
            first,
            head,
            body,
        })
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.first.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The method of a request; nothing for responses.
    pub(crate) fn method(&self) -> Option<&'a str> {
        if self.first.starts_with("SIP/2.0 ") { None } else { self.first.split(' ').next() }
    }

    /// Every value of a header, in order.
    pub(crate) fn headers(self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.head.split("\r\n").filter_map(move |line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn header(&self, name: &'static str) -> &'a str {
        self.headers(name).next().unwrap_or("")
    }

    pub(crate) fn call_id(&self) -> &'a str {
        self.header("Call-ID")
    }

    /// The number and method of CSeq.
    pub(crate) fn cseq(&self) -> (u32, &'a str) {
        let value = self.header("CSeq");
        let (number, method) = value.split_once(' ').unwrap_or((value, ""));
        (number.parse().unwrap_or(0), method.trim())
    }

    pub(crate) fn branch(&self) -> &'a str {
        parameter(self.header("Via"), "branch").unwrap_or("")
    }

    pub(crate) fn tag_of_from(&self) -> &'a str {
        parameter(self.header("From"), "tag").unwrap_or("")
    }

    pub(crate) fn tag_of_to(&self) -> &'a str {
        parameter(self.header("To"), "tag").unwrap_or("")
    }

    /// The URI of Contact.
    pub(crate) fn contact(&self) -> &'a str {
        let value = self.header("Contact");
        value.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(uri, _)| uri)
    }

    /// Where the body asks for RTP: the address of `c=` and the port of the first `m=`.
    pub(crate) fn media(&self) -> Option<SocketAddr> {
        let line = |start: &str| self.body.lines().find_map(|line| line.strip_prefix(start).map(str::trim));
        let address: IpAddr = line("c=IN IP4 ")?.parse().ok()?;
        let port = line("m=audio ")?.split(' ').next()?.parse().ok()?;
        Some(SocketAddr::new(address, port))
    }
}

/// A parameter of a header's value, outside of its angle brackets.
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let outside = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
    outside.split(';').skip(1).find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        (found.trim() == name).then(|| value.trim())
    })
}

/// A response to a request, with this tag of ours in To.
pub(crate) fn answer(
    request: &Message<'_>,
    status: u16,
    tag: &str,
    extra: &[(&str, &str)],
    body: &str,
) -> Vec<u8> {
    let mut text = format!("SIP/2.0 {status} {}\r\n", reason(status));
    for via in request.headers("Via") {
        push(&mut text, "Via", via);
    }
    push(&mut text, "From", request.header("From"));
    let to = request.header("To");
    if parameter(to, "tag").is_some() || tag.is_empty() {
        push(&mut text, "To", to);
    } else {
        push(&mut text, "To", &format!("{to};tag={tag}"));
    }
    push(&mut text, "Call-ID", request.call_id());
    push(&mut text, "CSeq", request.header("CSeq"));
    finish(text, extra, body)
}

/// Ends a message with its last headers and its body.
pub(crate) fn finish(mut text: String, extra: &[(&str, &str)], body: &str) -> Vec<u8> {
    for (name, value) in extra {
        push(&mut text, name, value);
    }
    if !body.is_empty() && !extra.iter().any(|(name, _)| *name == "Content-Type") {
        push(&mut text, "Content-Type", "application/sdp");
    }
    push(&mut text, "Content-Length", &body.len().to_string());
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

pub(crate) fn push(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    text.push_str(value);
    text.push_str("\r\n");
}

/// An offer or answer of a phone: where it wants RTP, and who sends.
pub(crate) fn sdp(address: &str, port: u16, version: u32, direction: &str) -> String {
    format!(
        "v=0\r\no=- 7 {version} IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        302 => "Moved Temporarily",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        491 => "Request Pending",
        500 => "Server Internal Error",
        603 => "Decline",
        _ => "Whatever",
    }
}
