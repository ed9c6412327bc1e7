//! From a SIP URI to the way there.

use sip::ua::{Flow, Transport};
use std::net::SocketAddr;

/// The way to a URI whose host is an address: `sip:user@192.0.2.1:5060;transport=tcp`. Nothing for names,
/// which would need a look-up, and for transports that are not listened on.
pub fn flow_of(listen: &[(Transport, SocketAddr)], uri: &str) -> Option<Flow> {
    let (_, rest) = uri.split_once(':')?;
    let (place, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let remote = host.parse::<SocketAddr>().ok().or_else(|| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        Some(SocketAddr::new(address, 5060))
    })?;
    let tcp = parameters.split(';').any(|parameter| parameter.eq_ignore_ascii_case("transport=tcp"));
    let transport = if tcp { Transport::Tcp } else { Transport::Udp };
    let (_, local) =
        listen.iter().find(|(kind, local)| *kind == transport && local.is_ipv4() == remote.is_ipv4())?;
    Some(Flow { transport, local: *local, remote })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_with_an_address_has_a_way_and_one_with_a_name_has_none() {
        let local = SocketAddr::from(([127, 0, 0, 1], 5060));
        let listen = [(Transport::Udp, local), (Transport::Tcp, local)];
        let way = |uri| flow_of(&listen, uri).map(|flow| (flow.transport, flow.remote.to_string()));
        assert_eq!(way("sip:a@192.0.2.1"), Some((Transport::Udp, "192.0.2.1:5060".to_owned())));
        assert_eq!(
            way("sip:192.0.2.1:5070;transport=tcp"),
            Some((Transport::Tcp, "192.0.2.1:5070".to_owned()))
        );
        assert_eq!(way("sip:a@example.com"), None);
        assert_eq!(way("sip:a@[2001:db8::1]:5060"), None, "no IPv6 socket is listened on");
        assert_eq!(way("nonsense"), None);
    }
}
