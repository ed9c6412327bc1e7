use crate::message::{HeaderName, Message, NameAddr};

/// The kinds of privacy that were asked for (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    /// Whom the network asserts must not be shown.
    pub id: bool,
    /// What the caller says of themselves must not be shown.
    pub user: bool,
    /// Header fields that tell where the caller is must not be shown.
    pub header: bool,
    /// Nor the addresses of media.
    pub session: bool,
    /// Rather no call than one without this privacy.
    pub critical: bool,
    /// By whom the call was sent must not be shown.
    pub history: bool,
    /// The caller wants to be shown, whatever else would hide them.
    pub none: bool,
}

/// How many wishes are read.
const WISHES_MAX: usize = 16;

impl Privacy {
    /// Reads Privacy, whether its wishes stand apart by `;` or, as some write, by `,`.
    pub fn of(request: &Message) -> Privacy {
        let mut privacy = Privacy::default();
        let wishes = request.headers(HeaderName::Privacy).flat_map(|value| value.split([';', ',']));
        for wish in wishes.take(WISHES_MAX) {
            match wish.trim().to_ascii_lowercase().as_str() {
                "id" => privacy.id = true,
                "user" => privacy.user = true,
                "header" => privacy.header = true,
                "session" => privacy.session = true,
                "critical" => privacy.critical = true,
                "history" => privacy.history = true,
                "none" => privacy.none = true,
                _ => {}
            }
        }
        privacy
    }

    /// The caller must not be shown. Who asks for privacy and for none gets it: a mistake must not tell.
    pub(super) fn hides_caller(&self) -> bool {
        self.id || self.user || self.header
    }
}

/// The users by which exchanges write "nobody". A caller who has none of these, nor the host that is made for
/// it (RFC 3323 §4.1.1.3), has a name.
const NOBODY: [&str; 5] = ["anonymous", "restricted", "unavailable", "unknown", "private"];

/// From says that its caller does not want to be known.
pub(super) fn is_anonymous(from: &NameAddr<'_>) -> bool {
    let Ok(uri) = from.parse_uri() else { return false };
    let host = uri.host().map(|host| host.to_string().to_ascii_lowercase()).unwrap_or_default();
    let user = uri.user_decoded().unwrap_or_default();
    let user = user.split(';').next().unwrap_or_default();
    host == "anonymous.invalid" || NOBODY.iter().any(|nobody| user.eq_ignore_ascii_case(nobody))
}
