/// The names of header fields that we know, and `Other` for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each variant is the header field that its name says")]
pub enum HeaderName {
    To,
    Via,
    Date,
    From,
    Path,
    RSeq,
    Rack,
    Allow,
    CSeq,
    Event,
    Route,
    Accept,
    CallId,
    MinSe,
    Reason,
    Server,
    Contact,
    Expires,
    Privacy,
    ReferTo,
    Require,
    Subject,
    Warning,
    Priority,
    Replaces,
    Identity,
    AlertInfo,
    Diversion,
    Supported,
    Timestamp,
    UserAgent,
    MinExpires,
    ReferredBy,
    HistoryInfo,
    UserToUser,
    RetryAfter,
    ContentType,
    Unsupported,
    MaxForwards,
    RecordRoute,
    ServiceRoute,
    ProxyRequire,
    Authorization,
    ContentLength,
    AllowEvents,
    AuthenticationInfo,
    SessionExpires,
    WwwAuthenticate,
    ContentEncoding,
    RemotePartyId,
    ProxyAuthenticate,
    SubscriptionState,
    ProxyAuthorization,
    PAssertedIdentity,
    PPreferredIdentity,
    /// A name that we do not know; see `Message::header_named`.
    Other,
}

/// By length, so that a name is compared with few others.
const NAMES: &[(&str, HeaderName)] = &[
    ("To", HeaderName::To),
    ("Via", HeaderName::Via),
    ("Date", HeaderName::Date),
    ("From", HeaderName::From),
    ("Path", HeaderName::Path),
    ("RSeq", HeaderName::RSeq),
    ("RAck", HeaderName::Rack),
    ("CSeq", HeaderName::CSeq),
    ("Allow", HeaderName::Allow),
    ("Event", HeaderName::Event),
    ("Route", HeaderName::Route),
    ("Accept", HeaderName::Accept),
    ("Min-SE", HeaderName::MinSe),
    ("Reason", HeaderName::Reason),
    ("Server", HeaderName::Server),
    ("Call-ID", HeaderName::CallId),
    ("Contact", HeaderName::Contact),
    ("Expires", HeaderName::Expires),
    ("Privacy", HeaderName::Privacy),
    ("Require", HeaderName::Require),
    ("Subject", HeaderName::Subject),
    ("Warning", HeaderName::Warning),
    ("Priority", HeaderName::Priority),
    ("Refer-To", HeaderName::ReferTo),
    ("Replaces", HeaderName::Replaces),
    ("Identity", HeaderName::Identity),
    ("Diversion", HeaderName::Diversion),
    ("Supported", HeaderName::Supported),
    ("Timestamp", HeaderName::Timestamp),
    ("Alert-Info", HeaderName::AlertInfo),
    ("User-Agent", HeaderName::UserAgent),
    ("Min-Expires", HeaderName::MinExpires),
    ("Referred-By", HeaderName::ReferredBy),
    ("Retry-After", HeaderName::RetryAfter),
    ("Unsupported", HeaderName::Unsupported),
    ("Allow-Events", HeaderName::AllowEvents),
    ("Content-Type", HeaderName::ContentType),
    ("History-Info", HeaderName::HistoryInfo),
    ("User-to-User", HeaderName::UserToUser),
    ("Max-Forwards", HeaderName::MaxForwards),
    ("Record-Route", HeaderName::RecordRoute),
    ("Authorization", HeaderName::Authorization),
    ("Proxy-Require", HeaderName::ProxyRequire),
    ("Service-Route", HeaderName::ServiceRoute),
    ("Content-Length", HeaderName::ContentLength),
    ("Remote-Party-ID", HeaderName::RemotePartyId),
    ("Session-Expires", HeaderName::SessionExpires),
    ("Content-Encoding", HeaderName::ContentEncoding),
    ("WWW-Authenticate", HeaderName::WwwAuthenticate),
    ("Proxy-Authenticate", HeaderName::ProxyAuthenticate),
    ("Subscription-State", HeaderName::SubscriptionState),
    ("Authentication-Info", HeaderName::AuthenticationInfo),
    ("P-Asserted-Identity", HeaderName::PAssertedIdentity),
    ("Proxy-Authorization", HeaderName::ProxyAuthorization),
    ("P-Preferred-Identity", HeaderName::PPreferredIdentity),
];

const LONGEST: usize = 20;

/// Where the names of each length begin in `NAMES`.
const BEGINNINGS: [usize; LONGEST + 2] = {
    let mut beginnings = [0; LONGEST + 2];
    let mut length = 0;
    while length < LONGEST + 2 {
        let mut at = 0;
        while at < NAMES.len() && NAMES[at].0.len() < length {
            at += 1;
        }
        beginnings[length] = at;
        length += 1;
    }
    beginnings
};

impl HeaderName {
    /// The header that `name` writes, in whatever case, long or compact (RFC 3261 §7.3.3).
    pub fn of(name: &str) -> HeaderName {
        let length = name.len();
        if length == 1 {
            return HeaderName::of_compact(name);
        }
        let (Some(&from), Some(&to)) = (BEGINNINGS.get(length), BEGINNINGS.get(length + 1)) else {
            return HeaderName::Other;
        };
        NAMES
            .get(from..to)
            .and_then(|names| names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))
            .map_or(HeaderName::Other, |(_, header)| *header)
    }

    fn of_compact(name: &str) -> HeaderName {
        match name.as_bytes().first().map(u8::to_ascii_lowercase) {
            Some(b'b') => HeaderName::ReferredBy,
            Some(b'c') => HeaderName::ContentType,
            Some(b'e') => HeaderName::ContentEncoding,
            Some(b'f') => HeaderName::From,
            Some(b'i') => HeaderName::CallId,
            Some(b'k') => HeaderName::Supported,
            Some(b'l') => HeaderName::ContentLength,
            Some(b'm') => HeaderName::Contact,
            Some(b'o') => HeaderName::Event,
            Some(b'r') => HeaderName::ReferTo,
            Some(b's') => HeaderName::Subject,
            Some(b't') => HeaderName::To,
            Some(b'u') => HeaderName::AllowEvents,
            Some(b'v') => HeaderName::Via,
            Some(b'x') => HeaderName::SessionExpires,
            Some(b'y') => HeaderName::Identity,
            _ => HeaderName::Other,
        }
    }

    /// The long form, as we write it. `Other` has none and is written as the empty string.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, header)| *header == self).map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_stands_in_order_of_length() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| name.len()));
        assert_eq!(NAMES.last().map(|(name, _)| name.len()), Some(LONGEST));
        for (name, header) in NAMES {
            assert_eq!(HeaderName::of(name), *header);
            assert_eq!(HeaderName::of(&name.to_uppercase()), *header);
            assert_eq!(HeaderName::of(&name.to_lowercase()), *header);
            assert_eq!(header.as_str(), *name);
        }
        for other in ["", "Q", "X-Cornetta-Call", "Viaa", "P-Asserted-Identity-And-More-Than-That"] {
            assert_eq!(HeaderName::of(other), HeaderName::Other, "{other}");
        }
        assert_eq!(HeaderName::of("V"), HeaderName::Via);
    }
}
