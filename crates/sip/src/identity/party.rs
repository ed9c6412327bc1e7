use crate::message::NameAddr;
use crate::uri::{Host, Scheme, Uri};

/// Somebody, as a SIP or tel URI and a name say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The user part with its `%HH` resolved, or the number of a tel URI; with the parameters of a telephone
    /// subscriber (RFC 3966) behind it: `+390612345;npdi;rn=+39331`.
    pub user: String,
    /// The host of a sip or sips URI; empty for tel.
    pub host: String,
    /// The name that goes with it.
    pub display: Option<String>,
}

/// What is kept of a user part.
const USER_MAX: usize = 256;
/// What is kept of a name or a host.
const NAME_MAX: usize = 128;

impl Party {
    /// Somebody with a user part; nothing for a URI without one, or of another scheme.
    pub fn of(address: &NameAddr<'_>) -> Option<Party> {
        let mut party = Party::of_uri(&address.parse_uri().ok()?)?;
        let display = address.display().map(|name| bounded(name.trim(), NAME_MAX));
        party.display = display.filter(|name| !name.is_empty());
        Some(party)
    }

    /// The same of a URI alone.
    pub fn of_uri(uri: &Uri<'_>) -> Option<Party> {
        let user = bounded(&uri.user_decoded()?, USER_MAX);
        let user = match uri.scheme() {
            Scheme::Tel if !uri.params().as_str().is_empty() => {
                bounded(&format!("{user};{}", uri.params().as_str()), USER_MAX)
            }
            _ => user,
        };
        let host = match uri.host() {
            Some(Host::Name(name)) => bounded(name, NAME_MAX),
            Some(address) => address.to_string(),
            None => String::new(),
        };
        (!user.is_empty()).then_some(Party { user, host, display: None })
    }

    /// It is written as a number: of two that assert the same caller, this one says more.
    pub(super) fn is_number(&self) -> bool {
        self.user.starts_with(|first: char| first == '+' || first.is_ascii_digit())
    }
}

/// The beginning of a text, without what could end a line or a quote on the way on.
pub(super) fn bounded(text: &str, characters: usize) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(characters).collect()
}
