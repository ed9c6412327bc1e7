use super::Fault;
use super::fields::decimal;
use super::params::{Params, trimmed};

/// One hop of a request's way (RFC 3261 §20.42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `SIP`, as written.
    pub protocol: &'a str,
    /// `2.0`, as written.
    pub version: &'a str,
    /// `UDP`, `TCP` and so on, as written.
    pub transport: &'a str,
    /// The sent-by host; an IPv6 address has its brackets.
    pub host: &'a str,
    /// The sent-by port.
    pub port: Option<u16>,
    /// All parameters.
    pub params: Params<'a>,
}

/// The `rport` parameter (RFC 3581).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rport {
    /// Not there.
    Absent,
    /// There without a value: responses are wanted at the source port.
    Asked,
    /// Filled in by whoever received the request.
    Port(u16),
}

impl<'a> Via<'a> {
    /// Reads one value. White space is allowed wherever the grammar has it.
    pub fn parse(value: &'a str) -> Result<Via<'a>, Fault> {
        const MALFORMED: Fault = Fault::bad("a Via is not SIP/2.0/TRANSPORT host");
        let (hop, params) = value.split_once(';').unwrap_or((value, ""));
        let (protocol, rest) = hop.split_once('/').ok_or(MALFORMED)?;
        let (version, rest) = rest.split_once('/').ok_or(MALFORMED)?;
        let (transport, sent_by) = trimmed(rest).split_once([' ', '\t']).ok_or(MALFORMED)?;
        let (host, port) = host_and_port(trimmed(sent_by)).ok_or(MALFORMED)?;
        let (protocol, version) = (trimmed(protocol), trimmed(version));
        Ok(Via { protocol, version, transport, host, port, params: Params(params) })
    }

    /// The transaction's name (RFC 3261 §8.1.1.7).
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The source address that somebody filled in.
    pub fn received(&self) -> Option<&'a str> {
        self.params.get("received").filter(|received| !received.is_empty())
    }

    /// The source port, asked for or filled in. A value that is no port counts as asked for.
    pub fn rport(&self) -> Rport {
        match self.params.get("rport") {
            None => Rport::Absent,
            Some(port) => match decimal(port).and_then(|port| u16::try_from(port).ok()) {
                Some(port) => Rport::Port(port),
                None => Rport::Asked,
            },
        }
    }
}

/// `host`, `host:port`, `[v6]:port`; the host keeps its brackets.
pub(crate) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let after_brackets = match text.starts_with('[') {
        true => text.find(']')? + 1,
        false => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(after_brackets)?;
    let host = trimmed(host);
    if host.is_empty() || host.contains([' ', '\t', '<', '>', '@', '"', ',']) {
        return None;
    }
    match trimmed(rest) {
        "" => Some((host, None)),
        rest => Some((host, Some(u16::try_from(decimal(trimmed(rest.strip_prefix(':')?))?).ok()?))),
    }
}
