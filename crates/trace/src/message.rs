use base::Wall;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sip::ua::{Flow, Transport};
use std::net::SocketAddr;
use std::sync::Arc;

/// Which way a message went, seen from the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A peer sent it to us.
    In,
    /// We sent it.
    Out,
}

/// One SIP message of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// When it was received or handed to the socket.
    pub at: Wall,
    /// The call's id.
    pub call: Arc<str>,
    /// Which way it went.
    pub way: Way,
    /// Between which addresses.
    pub flow: Flow,
    /// The message.
    pub bytes: Vec<u8>,
}

impl Traced {
    /// The sender's and the receiver's address.
    pub fn ends(&self) -> (SocketAddr, SocketAddr) {
        match self.way {
            Way::In => (self.flow.remote, self.flow.local),
            Way::Out => (self.flow.local, self.flow.remote),
        }
    }
}

/// As `GET /v1/calls/{id}/sip` writes it.
#[derive(Serialize, Deserialize)]
struct Written {
    at: jiff::Timestamp,
    call: Arc<str>,
    way: Way,
    transport: String,
    local: SocketAddr,
    remote: SocketAddr,
    message: String,
}

impl Serialize for Traced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = jiff::Timestamp::from_microsecond(self.at.unix_micros());
        Written {
            at: at.map_err(serde::ser::Error::custom)?,
            call: self.call.clone(),
            way: self.way,
            transport: self.flow.transport.name().to_owned(),
            local: self.flow.local,
            remote: self.flow.remote,
            message: String::from_utf8_lossy(&self.bytes).into_owned(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Traced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Traced, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let transport = Transport::by_name(&written.transport);
        let transport = transport.ok_or_else(|| serde::de::Error::custom("an unknown transport"))?;
        Ok(Traced {
            at: Wall::from_unix_micros(written.at.as_microsecond()),
            call: written.call,
            way: written.way,
            flow: Flow { transport, local: written.local, remote: written.remote },
            bytes: written.message.into_bytes(),
        })
    }
}

/// When a call began, by its id: a ULID after the node's name. Nothing if it is no such id.
pub fn born(call: &str) -> Option<Wall> {
    const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let (_, ulid) = call.rsplit_once('-')?;
    if ulid.len() != 26 {
        return None;
    }
    let mut millis = 0_i64;
    for letter in ulid.bytes().take(10) {
        let digit = CROCKFORD.iter().position(|known| *known == letter)?;
        millis = millis.checked_mul(32)?.checked_add(i64::try_from(digit).ok()?)?;
    }
    Some(Wall::from_unix_micros(millis.checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calls_id_tells_when_it_began() {
        assert_eq!(
            born("rm1-01HF7YAT000000000000000000"),
            Some(Wall::from_unix_micros(1_700_000_000_000_000))
        );
        for other in [
            "",
            "rm1",
            "rm1-",
            "rm1-01HF7YAT00000000000000000U0",
            "rm1-ILOU",
            "rm1-zzzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert_eq!(born(other), None, "{other}");
        }
    }

    #[test]
    fn a_message_reads_back_as_it_was_written() {
        let flow = Flow {
            transport: Transport::Tls,
            local: "[2001:db8::1]:5061".parse().unwrap(),
            remote: "[2001:db8::2]:40000".parse().unwrap(),
        };
        let at = Wall::from_unix_micros(1_700_000_000_123_456);
        let message = Traced {
            at,
            call: "rm1-1".into(),
            way: Way::Out,
            flow,
            bytes: b"BYE sip:a SIP/2.0\r\n\r\n".to_vec(),
        };
        let written = serde_json::to_string(&message).unwrap();
        assert!(written.contains("\"at\":\"2023-11-14T22:13:20.123456Z\""), "{written}");
        assert!(written.contains("\"way\":\"out\",\"transport\":\"tls\""), "{written}");
        assert_eq!(serde_json::from_str::<Traced>(&written).unwrap(), message);
    }
}
