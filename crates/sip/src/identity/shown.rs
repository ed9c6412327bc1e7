use super::DiversionReason;
use crate::ua::escaped_user;

/// Who we say that we are in a call that we make, besides From.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// Our host in these header fields.
    pub host: &'a str,
    /// The number that is asserted to a peer of our trust domain (RFC 3325 §5).
    pub asserted: Option<&'a str>,
    /// It must not be told on (RFC 3325 §9.3).
    pub withheld: bool,
    /// Who sent the call on, and why.
    pub diverted_by: Option<(&'a str, DiversionReason)>,
    /// The same as history (RFC 7044), with whom it is sent to.
    pub history_to: Option<&'a str>,
}

/// The header fields that say so: P-Asserted-Identity, Privacy, Diversion or History-Info.
pub fn shown(shown: Shown<'_>) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    if let Some(number) = shown.asserted {
        field("P-Asserted-Identity", format!("<{}>", address(number, shown.host)));
    }
    if shown.withheld {
        field("Privacy", "id".to_owned());
    }
    match (shown.diverted_by, shown.history_to) {
        (Some((by, reason)), Some(to)) => {
            let (by, to) = (address(by, shown.host), address(to, shown.host));
            field("History-Info", format!("<{by}>;index=1"));
            field("History-Info", format!("<{to};cause={}>;index=1.1;mp=1", reason.cause()));
        }
        (Some((by, reason)), None) => {
            let (by, reason) = (address(by, shown.host), reason.as_str());
            field("Diversion", format!("<{by}>;reason={reason};counter=1;privacy=off"));
        }
        (None, _) => {}
    }
    fields
}

fn address(user: &str, host: &str) -> String {
    let phone = user.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
    let phone = if phone { ";user=phone" } else { "" };
    format!("sip:{}@{host}{phone}", escaped_user(user))
}
