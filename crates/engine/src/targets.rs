//! From a SIP URI to the place that it points at.

use sip::locate::Place;
use sip::uri::Uri;

/// The place of a URI such as `sip:user@192.0.2.1:5060;transport=tcp` or `sips:user@example.com`; nothing for
/// text that is no such URI.
pub fn place_of(uri: &str) -> Option<Place> {
    Place::of_uri(&Uri::parse(uri).ok()?)
}
