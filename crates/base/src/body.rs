//! Names that are a body's own, where several share one installation.

/// Between a body's name and what its own thing is called in it: `venezia/desk`.
pub const BODY_MARK: char = '/';

/// The body that a name says: that of `venezia/desk` is `venezia`. The installation's own names say none.
pub fn body_of(name: &str) -> Option<&str> {
    name.split_once(BODY_MARK).map(|(body, _)| body)
}

/// What a body's own thing is called outside of it.
pub fn name_in(body: Option<&str>, name: &str) -> String {
    match body {
        Some(body) => format!("{body}{BODY_MARK}{name}"),
        None => name.to_owned(),
    }
}

/// What whoever owns a thing calls it: `venezia/desk` is `desk` in Venezia.
pub fn without_body(name: &str) -> &str {
    name.split_once(BODY_MARK).map_or(name, |(_, own)| own)
}

/// Whether somebody of a body can name this: not what is another body's.
pub fn may_name(body: Option<&str>, name: &str) -> bool {
    body.is_none() || body_of(name).is_none_or(|of| Some(of) == body)
}

/// What a name means in a body: one of its own before one of the installation's own.
pub fn named(body: Option<&str>, name: &str, is_there: impl Fn(&str) -> bool) -> Option<String> {
    let own = body.map(|body| name_in(Some(body), name)).filter(|own| is_there(own));
    own.or_else(|| (may_name(body, name) && is_there(name)).then(|| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_it_is_and_is_read_as_it_is_written() {
        assert_eq!(body_of("venezia/desk"), Some("venezia"));
        assert_eq!(body_of("desk"), None);
        assert_eq!(body_of(&name_in(Some("venezia"), "desk")), Some("venezia"));
        assert_eq!(name_in(None, "desk"), "desk");
        assert_eq!(["venezia/desk", "desk"].map(without_body), ["desk", "desk"]);
    }

    #[test]
    fn a_name_means_ones_own_before_everybodys_and_never_anothers() {
        let there = |name: &str| ["anna", "venezia/anna", "mestre/bruno", "carla"].contains(&name);
        let venezia = |name| named(Some("venezia"), name, there);
        assert_eq!(venezia("anna").as_deref(), Some("venezia/anna"));
        assert_eq!(venezia("carla").as_deref(), Some("carla"));
        assert_eq!(venezia("venezia/anna").as_deref(), Some("venezia/anna"));
        assert_eq!((venezia("bruno"), venezia("mestre/bruno")), (None, None));
        assert_eq!(named(None, "anna", there).as_deref(), Some("anna"));
        assert_eq!(named(None, "mestre/bruno", there).as_deref(), Some("mestre/bruno"));
    }
}
