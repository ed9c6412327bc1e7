use crate::{Country, Kind, Number, Written};

/// How one trunk, or the installation itself, writes numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Where a number without a calling code is from.
    pub country: Country,
    /// The digits that people of the same place leave out, such as `06`; nothing if nobody does.
    pub area: Option<String>,
    /// What digits without `+` mean.
    pub arrives: Arrives,
    /// The form of what is sent.
    pub sends: Sends,
    /// Taken off the front of a dialled number before it is read, if it stands there.
    pub strip: String,
    /// Put before a dialled number before it is read: an operator who sends only the last digits.
    pub prefix: String,
    /// Put before what is sent, in whatever form.
    pub send_prefix: String,
}

/// What digits without `+` mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrives {
    /// Whatever the numbering plan says: national if it has such a number, else with a calling code. Ten
    /// digits that begin with 390 can be both a mobile and a short fixed line behind 39: they are a mobile.
    #[default]
    Auto,
    /// They are national.
    National,
    /// They begin with a calling code.
    E164,
}

/// The form of what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sends {
    /// `+39061234567`.
    #[default]
    E164,
    /// `39061234567`.
    Plain,
    /// `0039061234567`.
    DoubleZero,
    /// `061234567`; `0044…` abroad.
    National,
}

/// What a user part said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Who or what.
    pub number: Number,
    /// The routing number of one that has changed its operator (RFC 4694 `rn`), as it came.
    pub routing: Option<String>,
    /// The portability look-up has been done (RFC 4694 `npdi`).
    pub looked_up: bool,
    /// An extension behind the number (RFC 3966 `ext`).
    pub extension: Option<String>,
    /// An ISDN subaddress (RFC 3966 `isub`).
    pub subaddress: Option<String>,
    /// The calling party's category (`cpc`): `ordinary`, `payphone`, `priority` …
    pub category: Option<String>,
    /// What the operator found when it verified the caller (`verstat`, ATIS-1000074 §5.3.2).
    pub verified: Option<String>,
}

/// The most digits that may be an extension of this exchange.
const EXTENSION_MAX: usize = 8;

impl Rules {
    /// The rules of an installation in this country whose trunks are not told apart.
    pub fn of(country: Country) -> Rules {
        Rules {
            country,
            area: None,
            arrives: Arrives::Auto,
            sends: Sends::E164,
            strip: String::new(),
            prefix: String::new(),
            send_prefix: String::new(),
        }
    }

    /// Reads who calls: the user part of a SIP URI (with its `%HH` resolved), or what stands after `tel:`.
    pub fn read(&self, text: &str) -> Reading {
        let written = Written::of(text);
        let owned = |name| written.parameter(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Reading {
            number: self.number(&written),
            routing: owned("rn"),
            looked_up: written.parameter("npdi").is_some(),
            extension: owned("ext"),
            subaddress: owned("isub"),
            category: owned("cpc"),
            verified: owned("verstat"),
        }
    }

    /// Reads what was dialled: as [`Rules::read`], after `strip` and `prefix`.
    pub fn read_dialled(&self, text: &str) -> Reading {
        let stripped = text.strip_prefix(self.strip.as_str()).unwrap_or(text);
        match self.prefix.is_empty() {
            true => self.read(stripped),
            false => self.read(&format!("{}{stripped}", self.prefix)),
        }
    }

    /// The normal form of a number as people write it in a configuration or dial it.
    pub fn normal(&self, text: &str) -> Number {
        self.number(&Written::of(text))
    }

    /// A number as this trunk wants it.
    pub fn write(&self, number: &Number) -> String {
        let digits = match (number.e164(), self.sends) {
            (Some(digits), Sends::E164) => format!("+{digits}"),
            (Some(digits), Sends::Plain) => digits.to_owned(),
            (Some(digits), Sends::DoubleZero) => format!("{}{digits}", self.country.international()),
            (Some(digits), Sends::National) => match digits.strip_prefix(self.country.code()) {
                Some(national) => format!("{}{national}", self.country.trunk()),
                None => format!("{}{digits}", self.country.international()),
            },
            (None, _) => number.as_str().to_owned(),
        };
        format!("{}{digits}", self.send_prefix)
    }

    fn number(&self, written: &Written<'_>) -> Number {
        let Some((plus, digits)) = written.dialled() else { return Number::name(written.subscriber) };
        if digits.contains(['*', '#']) {
            return Number::extension(&digits);
        }
        if plus {
            // Some write a plus before a national number, or the international prefix behind it.
            return Number::international(&digits)
                .or_else(|| self.with_prefix(&digits))
                .or_else(|| self.national(&digits))
                .unwrap_or_else(|| Number::invalid(written.subscriber));
        }
        self.in_context(written, &digits).or_else(|| self.bare(&digits)).unwrap_or_else(|| unplanned(&digits))
    }

    /// A local number in the context that it names (RFC 3966 §5.1.5). Contexts that make no number of it,
    /// such as an operator's domain, say nothing.
    fn in_context(&self, written: &Written<'_>, digits: &str) -> Option<Number> {
        let context = written.parameter("phone-context")?;
        let context: String = context.chars().filter(|letter| !"+-.()".contains(*letter)).collect();
        if context.is_empty() || !context.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let trunk = self.country.trunk();
        // Some leave the zero that people dial within their country before the number.
        if context == self.country.code() && !trunk.is_empty() && digits.starts_with(trunk) {
            return self.national(digits);
        }
        Number::international(&format!("{context}{digits}"))
    }

    /// Digits without a `+` or a context.
    fn bare(&self, digits: &str) -> Option<Number> {
        let national = || self.national(digits);
        let with_code = || self.with_code(digits);
        self.with_prefix(digits)
            .or_else(|| match self.arrives {
                Arrives::Auto | Arrives::National => national().or_else(with_code),
                Arrives::E164 => Number::international(digits).or_else(national),
            })
            .or_else(|| self.local(digits))
    }

    /// Behind the international prefix.
    fn with_prefix(&self, digits: &str) -> Option<Number> {
        Number::international(digits.strip_prefix(self.country.international())?)
    }

    /// As dialled within the country.
    fn national(&self, digits: &str) -> Option<Number> {
        if self.country.is_italy() {
            return Number::italian(digits);
        }
        let trunk = self.country.trunk();
        let significant = if trunk.is_empty() { digits } else { digits.strip_prefix(trunk)? };
        // Without its plan, only what is too long for an extension is believed to be a number.
        (significant.len() > EXTENSION_MAX - 2)
            .then(|| Number::international(&format!("{}{significant}", self.country.code())))?
    }

    /// With a calling code that nothing announces: our own country's, or enough digits for another.
    fn with_code(&self, digits: &str) -> Option<Number> {
        const ENOUGH: usize = 11;
        let own = digits.starts_with(self.country.code());
        Number::international(digits).filter(|_| own || digits.len() >= ENOUGH)
    }

    /// Within our own place, without its area code.
    fn local(&self, digits: &str) -> Option<Number> {
        let area = self.area.as_deref()?;
        let long_enough = digits.len() >= 5 && !digits.starts_with('0');
        long_enough
            .then(|| self.national(&format!("{area}{digits}")))?
            .filter(|number| number.kind() == Kind::Fixed || number.kind() == Kind::Foreign)
    }
}

fn unplanned(digits: &str) -> Number {
    if digits.len() <= EXTENSION_MAX { Number::extension(digits) } else { Number::invalid(digits) }
}
