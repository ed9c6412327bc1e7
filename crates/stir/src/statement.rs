use crate::Passport;

/// One value of an Identity header field (RFC 8224 §4): a signed statement and where its certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The statement; of the compact form, as it is once who calls whom and when are filled in.
    pub passport: Passport,
    /// Where the certificate is, by the header field's `info`; the statement's own `x5u` must be the same.
    pub info: String,
}

/// The longest value that is read.
const VALUE_MAX: usize = 8 * 1024;

impl Statement {
    /// Whether a value is in the compact form, which leaves out whom it is about.
    pub fn is_compact(value: &str) -> bool {
        value.trim_start().starts_with("..")
    }

    /// Reads a value in its full or its compact form (RFC 8225 §7). The compact form has no more than the
    /// signature: `orig`, `dest` (digits without `+`) and `date` (seconds since 1970, from Date) fill it in.
    pub fn read(value: &str, orig: &str, dest: &str, date: Option<i64>) -> Option<Statement> {
        if value.len() > VALUE_MAX {
            return None;
        }
        let (token, parameters) = value.split_once(';').unwrap_or((value, ""));
        let parameter = |name: &str| {
            parameters.split(';').find_map(|piece| {
                let (known, value) = piece.split_once('=')?;
                let value = value.trim().trim_matches(['"', '<', '>']);
                known.trim().eq_ignore_ascii_case(name).then_some(value)
            })
        };
        let info = parameter("info").unwrap_or_default().to_owned();
        if parameter("alg").is_some_and(|algorithm| algorithm != "ES256") {
            return None;
        }
        let passport = match token.trim().strip_prefix("..") {
            Some(signature) => Passport::of_compact(signature, &info, orig, dest, date?)?,
            None => Passport::read(token.trim())?,
        };
        let kind = parameter("ppt").unwrap_or_default();
        (kind == passport.kind || kind.is_empty()).then_some(Statement { passport, info })
    }
}
