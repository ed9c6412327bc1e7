use crate::country::calling_country;
use crate::italy;
use std::fmt;

/// A caller or a service in the one normal form by which they are compared, stored and shown.
///
/// | kind | normal form | example |
/// |---|---|---|
/// | what E.164 numbers | `+` and digits | `+39061234567`, `+39800100100` |
/// | national short code | its digits | `112`, `1510` |
/// | extension, feature code | as dialled | `200`, `*21` |
/// | SIP user that is no number | as written | `helpdesk` |
/// | nobody | `anonymous` | |
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    text: String,
    kind: Kind,
}

/// What a number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A line in a place.
    Fixed,
    /// A mobile, or a machine with a mobile line.
    Mobile,
    /// Free for the caller: 800, 803.
    TollFree,
    /// The caller pays a part: 840, 848, 199.
    SharedCost,
    /// The caller pays for more than the call: 892, 899.
    Premium,
    /// Of a person or a body without a place: 178.
    Personal,
    /// Telephony over the Internet without a place: 55.
    Nomadic,
    /// A number of another country, of whatever kind.
    Foreign,
    /// A national short code that costs its caller nothing: 112, 1510, 116111.
    Short,
    /// Any other national short code: it costs more than a call, as 1240 and 4xxxx do, or nobody says that it does not.
    PremiumShort,
    /// Digits that mean something here alone.
    Extension,
    /// A SIP user that is no number.
    Name,
    /// Nobody who lets themselves be known.
    Anonymous,
    /// Digits that no numbering plan has, as they came.
    Invalid,
}

impl Kind {
    /// Its stable name in facts.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Fixed => "fixed",
            Kind::Mobile => "mobile",
            Kind::TollFree => "toll_free",
            Kind::SharedCost => "shared_cost",
            Kind::Premium => "premium",
            Kind::Personal => "personal",
            Kind::Nomadic => "nomadic",
            Kind::Foreign => "foreign",
            Kind::Short => "short",
            Kind::PremiumShort => "premium_short",
            Kind::Extension => "extension",
            Kind::Name => "name",
            Kind::Anonymous => "anonymous",
            Kind::Invalid => "invalid",
        }
    }
}

/// The most digits of an E.164 number (§6.1).
const E164_MAX: usize = 15;
/// The fewest digits of a number abroad, with its calling code, that is believed.
const E164_MIN: usize = 7;
/// What is kept of digits that no plan has.
const INVALID_MAX: usize = 32;
/// What is kept of a SIP user.
const NAME_MAX: usize = 128;

impl Number {
    /// Nobody who lets themselves be known.
    pub fn anonymous() -> Number {
        Number { text: "anonymous".to_owned(), kind: Kind::Anonymous }
    }

    /// A SIP user that is no number.
    pub fn name(user: &str) -> Number {
        Number { text: user.chars().take(NAME_MAX).collect(), kind: Kind::Name }
    }

    /// Digits (and `*`, `#`) that mean something here alone.
    pub(crate) fn extension(digits: &str) -> Number {
        Number { text: digits.to_owned(), kind: Kind::Extension }
    }

    /// Digits that no plan has.
    pub(crate) fn invalid(digits: &str) -> Number {
        Number { text: digits.chars().take(INVALID_MAX).collect(), kind: Kind::Invalid }
    }

    /// A number whose digits begin with a calling code: nothing if no plan has such a number.
    pub fn international(digits: &str) -> Option<Number> {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match digits.strip_prefix(italy::CODE) {
            Some(national) => Number::italian(national),
            None => {
                let possible = (E164_MIN..=E164_MAX).contains(&digits.len());
                let known = possible && calling_country(digits).is_some();
                known.then(|| Number { text: format!("+{digits}"), kind: Kind::Foreign })
            }
        }
    }

    /// A number of the Italian plan: nothing if it has none of this form.
    pub(crate) fn italian(national: &str) -> Option<Number> {
        let kind = italy::kind_of(national)?;
        let text = match kind {
            Kind::Short | Kind::PremiumShort => national.to_owned(),
            _ => format!("+{}{national}", italy::CODE),
        };
        Some(Number { text, kind })
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The digits of an E.164 number without its `+`.
    pub fn e164(&self) -> Option<&str> {
        self.text.strip_prefix('+').filter(|_| !matches!(self.kind, Kind::Name | Kind::Invalid))
    }

    /// The digits within Italy, of an Italian number.
    pub fn italian_digits(&self) -> Option<&str> {
        match self.kind {
            Kind::Short | Kind::PremiumShort => Some(&self.text),
            _ => self.e164()?.strip_prefix(italy::CODE),
        }
    }

    /// The two letters of its country (ISO 3166), if it has one.
    pub fn country(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Short | Kind::PremiumShort => Some("IT"),
            _ => self.e164().and_then(calling_country),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
