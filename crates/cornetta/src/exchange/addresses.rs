//! Addresses as they are written, and as they really are once the sockets are bound.

use media_api::Family;
use sip::ua::Transport;
use std::net::SocketAddr;

type Sockets = Vec<(Transport, SocketAddr)>;

/// Where SIP is listened on. A port 0 was chosen by the system; and the unspecified address, which no peer can
/// answer to, is shown as the one of its family that media is told to come to.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    shown: Sockets,
}

impl Addresses {
    pub(super) fn new(bound: &[(Transport, SocketAddr)], media: media_api::Addresses) -> Addresses {
        let show = |&(transport, address): &(Transport, SocketAddr)| {
            let media = media.of(Family::of(address.ip())).filter(|_| address.ip().is_unspecified());
            (transport, SocketAddr::new(media.unwrap_or(address.ip()), address.port()))
        };
        Addresses { shown: bound.iter().map(show).collect() }
    }

    /// Puts the real addresses into a configuration.
    pub(super) fn settle(&self, config: &mut engine::Config) {
        config.sip.listen.clone_from(&self.shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_ports_and_the_address_of_media_take_the_place_of_what_was_written() {
        let text = r#"
            [sip]
            listen = ["udp:0.0.0.0:0", "udp:[::]:0", "tcp:192.0.2.1:5060"]
            [media]
            address = ["192.0.2.1", "2001:db8::1"]
        "#;
        let read = crate::config::load_text("c.toml", text, std::path::Path::new("/nowhere")).ok().unwrap();
        let mut config = read.engine;
        let bound =
            ["0.0.0.0:40000", "[::]:40002", "192.0.2.1:5060"].map(|address| (Transport::Udp, address));
        let bound = bound.map(|(transport, address)| (transport, address.parse().unwrap()));
        let addresses = Addresses::new(&bound, read.media.addresses);
        addresses.settle(&mut config);
        let shown: Vec<String> = config.sip.listen.iter().map(|(_, address)| address.to_string()).collect();
        assert_eq!(shown, ["192.0.2.1:40000", "[2001:db8::1]:40002", "192.0.2.1:5060"]);
    }
}
