use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A signed statement about who calls whom (RFC 8225).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passport {
    /// The extension (`ppt`): `shaken`, `div` …; empty for none.
    pub kind: String,
    /// Where the certificate is.
    pub x5u: String,
    /// When it was made, in seconds since 1970.
    pub made: i64,
    /// Who calls: digits without `+`, or a URI.
    pub orig: String,
    /// Who is called: digits without `+`, or URIs.
    pub dest: Vec<String>,
    /// How well the operator knows the caller (RFC 8588 §4).
    pub attestation: Option<Attestation>,
    /// The operator's name for where the call began (RFC 8588 §5).
    pub origid: String,
    /// Who was called before the call was sent on (RFC 8946 §3).
    pub diverted_from: Option<String>,
    /// The keys of the media (`mky`, RFC 8225 §5.2.2), as `algorithm` and hexadecimal digits without colons.
    pub keys: Vec<(String, String)>,
    pub(crate) signed: String,
    pub(crate) signature: Vec<u8>,
}

/// How well an operator knows the caller and their right to the number (RFC 8588 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attestation {
    /// It only knows by which way the call came in: C.
    Gateway,
    /// It knows the caller, not the number: B.
    Partial,
    /// It knows the caller and that the number is theirs: A.
    Full,
}

impl Attestation {
    /// The letter.
    pub fn as_str(self) -> &'static str {
        match self {
            Attestation::Full => "A",
            Attestation::Partial => "B",
            Attestation::Gateway => "C",
        }
    }
}

/// The most that are called by one statement.
const DEST_MAX: usize = 16;
/// The most keys of media in one statement.
const KEYS_MAX: usize = 16;
/// Letters kept of an operator's name for where a call began: a UUID has 36.
const ORIGID_MAX: usize = 64;

impl Passport {
    /// Reads `header.payload.signature`. Whether the signature holds is another question.
    pub(crate) fn read(token: &str) -> Option<Passport> {
        let mut parts = token.split('.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let json = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let (head, claims) = (json(header)?, json(payload)?);
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let sound =
            text(&head, "alg")? == "ES256" && text(&head, "typ").is_none_or(|kind| kind == "passport");
        if !sound {
            return None;
        }
        let attestation = match claims.get("attest").and_then(Value::as_str) {
            Some("A") => Some(Attestation::Full),
            Some("B") => Some(Attestation::Partial),
            Some("C") => Some(Attestation::Gateway),
            _ => None,
        };
        Some(Passport {
            kind: text(&head, "ppt").unwrap_or_default(),
            x5u: text(&head, "x5u").unwrap_or_default(),
            made: claims.get("iat")?.as_i64()?,
            orig: parties(claims.get("orig")?).into_iter().next()?,
            dest: parties(claims.get("dest")?),
            attestation,
            origid: text(&claims, "origid").unwrap_or_default().chars().take(ORIGID_MAX).collect(),
            diverted_from: claims.get("div").and_then(|by| parties(by).into_iter().next()),
            keys: claims.get("mky").map(keys).unwrap_or_default(),
            signed: format!("{header}.{payload}"),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// What was left out of the compact form is what the message says (RFC 8225 §7, RFC 8224 §4.1): both
    /// parts are written anew, their names in order and without white space (RFC 8225 §9).
    pub(crate) fn of_compact(
        signature: &str,
        x5u: &str,
        orig: &str,
        dest: &str,
        date: i64,
    ) -> Option<Passport> {
        let text = |value: &str| Value::from(value).to_string();
        let header = format!(r#"{{"alg":"ES256","typ":"passport","x5u":{}}}"#, text(x5u));
        let payload =
            format!(r#"{{"dest":{{"tn":[{}]}},"iat":{date},"orig":{{"tn":{}}}}}"#, text(dest), text(orig));
        let part = |json: String| URL_SAFE_NO_PAD.encode(json);
        Passport::read(&format!("{}.{}.{signature}", part(header), part(payload)))
    }
}

/// The keys of `mky`; one that is not whole is one that nothing can be equal to.
fn keys(claim: &Value) -> Vec<(String, String)> {
    let several = claim.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = several.iter().map(|key| (text(key, "alg").to_lowercase(), text(key, "dig").to_uppercase()));
    read.take(KEYS_MAX).collect()
}

/// The numbers and URIs of `orig`, `dest` or `div`: each a text or a list of texts. Some libraries write the
/// object as a text of its own.
fn parties(claim: &Value) -> Vec<String> {
    if let Some(inner) = claim.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        return if inner.is_object() { parties(&inner) } else { Vec::new() };
    }
    let mut found = Vec::new();
    for name in ["tn", "uri"] {
        match claim.get(name) {
            Some(Value::String(one)) => found.push(one.clone()),
            Some(Value::Array(several)) => {
                found.extend(several.iter().take(DEST_MAX).filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    found
}
