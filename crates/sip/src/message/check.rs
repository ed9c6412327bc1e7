//! Whether a message has what every message must have (RFC 3261 §8.1.1, §8.2, §16.3).

use super::fields::decimal;
use super::{Fault, HeaderName, Message, Method, StartLine};
use crate::uri::{Scheme, Uri};

/// Those of which there must be exactly one.
const SINGLE: [(HeaderName, &str); 4] = [
    (HeaderName::From, "there is not exactly one From"),
    (HeaderName::To, "there is not exactly one To"),
    (HeaderName::CallId, "there is not exactly one Call-ID"),
    (HeaderName::CSeq, "there is not exactly one CSeq"),
];

impl Message {
    /// Whether everything is there and well formed that a user agent needs of every message. The first
    /// fault is told. A response with a fault is dropped; a request is answered with the fault's status if
    /// it [can be answered](Message::is_answerable).
    ///
    /// What RFC 2543 left out is tolerated: the tag of From, the branch of Via, Max-Forwards.
    pub fn check(&self) -> Result<(), Fault> {
        if let StartLine::Request { version, .. } = self.start
            && !self.text(version).eq_ignore_ascii_case("SIP/2.0")
        {
            return Err(Fault::new(505, "the version is not SIP/2.0"));
        }
        self.check_single_fields()?;
        self.check_vias()?;
        self.check_addresses()?;
        self.call_id()?;
        self.content_length()?;
        self.check_max_forwards()?;
        let (_, method) = self.cseq()?;
        self.check_request_line(method)
    }

    /// Whether an answer to this request would find its way and its transaction: it has a top Via, From,
    /// To, Call-ID and CSeq, and is no ACK.
    pub fn is_answerable(&self) -> bool {
        let there = |header| self.header(header).is_some_and(|value| !value.is_empty());
        self.method().is_some_and(|method| method != Method::Ack)
            && self.top_via().is_ok()
            && SINGLE.iter().all(|(header, _)| there(*header))
    }

    fn check_single_fields(&self) -> Result<(), Fault> {
        for (header, why) in SINGLE {
            if self.headers(header).count() != 1 {
                return Err(Fault::bad(why));
            }
        }
        Ok(())
    }

    fn check_vias(&self) -> Result<(), Fault> {
        self.top_via()?;
        for via in self.vias() {
            let via = via?;
            if !via.protocol.eq_ignore_ascii_case("SIP") || via.version != "2.0" {
                return Err(Fault::bad("a Via is not of SIP/2.0"));
            }
            if !via.params.are_well_formed() {
                return Err(Fault::bad("a Via has a malformed parameter"));
            }
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<(), Fault> {
        for address in [self.from()?, self.to()?] {
            if !Uri::has_scheme(address.uri) || !address.params.are_well_formed() {
                return Err(Fault::bad("From or To is malformed"));
            }
        }
        for contact in self.contacts() {
            let contact = contact?;
            if (contact.uri != "*" && !Uri::has_scheme(contact.uri)) || !contact.params.are_well_formed() {
                return Err(Fault::bad("a Contact is malformed"));
            }
        }
        Ok(())
    }

    fn check_max_forwards(&self) -> Result<(), Fault> {
        match self.header(HeaderName::MaxForwards) {
            Some(value) if decimal(value).is_none_or(|number| number > 255) => {
                Err(Fault::bad("Max-Forwards is not a number up to 255"))
            }
            _ => Ok(()),
        }
    }

    fn check_request_line(&self, method_of_cseq: Method<'_>) -> Result<(), Fault> {
        let (Some(method), Some(uri)) = (self.method(), self.uri()) else { return Ok(()) };
        if method != method_of_cseq {
            // RFC 4475 §3.1.2.18: that the method is unknown is the more telling answer.
            let status = if matches!(method, Method::Other(_)) { 501 } else { 400 };
            return Err(Fault::new(status, "CSeq has another method than the request"));
        }
        let uri = Uri::parse(uri).map_err(|_| Fault::bad("the request URI is malformed"))?;
        if uri.scheme() == Scheme::Other {
            return Err(Fault::new(416, "the request URI's scheme is not sip, sips or tel"));
        }
        if uri.headers().is_some() {
            return Err(Fault::bad("the request URI has header fields in it"));
        }
        Ok(())
    }
}
