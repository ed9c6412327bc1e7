//! Whether the address that phones outside are told is the one that the world sees.

use std::net::IpAddr;

/// Asks the STUN server, if there is one, and complains if it sees another address than the one written. The start
/// does not wait for it.
pub(super) fn check(stun: Option<String>, written: Option<IpAddr>) {
    let Some(server) = stun else { return };
    tokio::spawn(async move {
        match net::ask_stun(&server).await {
            Ok(seen) => compare(&server, written, seen.ip()),
            Err(error) => {
                tracing::warn!(
                    "the STUN server {server} was asked for our public address: {error}; \
                     correct `stun` under [sip], or let its answers through the firewall"
                );
            }
        }
    });
}

fn compare(server: &str, written: Option<IpAddr>, seen: IpAddr) {
    match written {
        Some(written) if written == seen => tracing::info!(%seen, "the public address is right"),
        Some(written) if written.is_ipv4() != seen.is_ipv4() => {
            tracing::warn!(%written, %seen, "{server} speaks another IP version; name a STUN server of the right one");
        }
        Some(written) => tracing::error!(
            "phones and operators outside are told {written}, but the world sees us at {seen} ({server}); \
             correct `public_address` under [sip] and [media]"
        ),
        None => tracing::warn!(
            "the world sees us at {seen} ({server}), and phones outside are told the sockets' own addresses; \
             if these differ, write `public_address = \"{seen}\"` under [sip] and [media]"
        ),
    }
}
