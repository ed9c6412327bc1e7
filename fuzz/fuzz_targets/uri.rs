#![no_main]
//! Text to a URI, an address, a Via; everything asked of them.

use libfuzzer_sys::fuzz_target;
use sip::message::{Elements, NameAddr, Params, Via};
use sip::uri::{Host, Uri};

fuzz_target!(|text: &str| {
    if let Ok(uri) = Uri::parse(text) {
        let _ = (uri.user_decoded(), uri.password(), uri.port(), uri.headers(), uri.param("lr"));
        let _ = (uri.params().iter().count(), uri.host().and_then(|host| host.ip()));
        assert_eq!(uri.as_str(), text);
    }
    if let Ok(address) = NameAddr::parse(text) {
        let _ = (address.display(), address.tag(), address.parse_uri().is_ok());
        assert!(text.contains(address.uri));
    }
    if let Ok(via) = Via::parse(text) {
        let _ = (via.branch(), via.rport(), via.received());
    }
    let _ = Host::parse(text).map(|host| host.ip());
    assert!(Params::of(text).iter().count() <= text.len() + 1);
    assert!(Elements::of(text).count() <= text.len() + 1);
});
