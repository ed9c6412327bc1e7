use crate::der::{BIT_STRING, BOOLEAN, Der, Element, INTEGER, OBJECT, OCTET_STRING, SEQUENCE};

/// A certificate of an operator or of an authority (RFC 5280), as far as STIR asks (RFC 8226).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What is signed.
    pub(crate) signed: Vec<u8>,
    /// An ECDSA signature with SHA-256, in ASN.1.
    pub(crate) signature: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    /// An uncompressed point on P-256.
    pub(crate) key: Vec<u8>,
    /// Seconds since 1970, both inclusive.
    pub(crate) valid: (i64, i64),
    pub(crate) is_authority: bool,
    /// For which numbers it may speak, if it says so (RFC 8226 §9).
    pub numbers: Option<Vec<Numbers>>,
}

/// For whom a certificate may speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// An operator, by its code.
    Operator(String),
    /// From this number, so many.
    Range(u64, u64),
    /// One.
    One(String),
}

const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const TN_AUTH_LIST: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1a];

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The most numbers and ranges that are kept of one certificate.
const NUMBERS_MAX: usize = 1_000;
/// The most extensions that are looked at.
const EXTENSIONS_MAX: usize = 64;

impl Certificate {
    /// Reads DER. Nothing for other keys than P-256 and other signatures than ECDSA with SHA-256, which are
    /// all that STIR uses (RFC 8225 §8, RFC 8226 §4), and for critical extensions that are not known.
    pub fn read(der: &[u8]) -> Option<Certificate> {
        let mut outer = Der(der).expect(SEQUENCE)?.elements();
        let signed = outer.expect(SEQUENCE)?;
        if algorithm(outer.expect(SEQUENCE)?)? != ECDSA_WITH_SHA256 {
            return None;
        }
        let signature = outer.expect(BIT_STRING)?.bits()?.to_vec();
        let mut fields = signed.elements();
        fields.optional(VERSION);
        fields.expect(INTEGER)?;
        fields.expect(SEQUENCE)?;
        let issuer = fields.expect(SEQUENCE)?.whole.to_vec();
        let mut validity = fields.expect(SEQUENCE)?.elements();
        let valid = (time(validity.next()?)?, time(validity.next()?)?);
        let subject = fields.expect(SEQUENCE)?.whole.to_vec();
        let key = key(fields.expect(SEQUENCE)?)?;
        let mut certificate = Certificate {
            signed: signed.whole.to_vec(),
            signature,
            issuer,
            subject,
            key,
            valid,
            is_authority: false,
            numbers: None,
        };
        while let Some(element) = fields.next() {
            if element.tag == EXTENSIONS {
                certificate.extensions(element)?;
            }
        }
        Some(certificate)
    }

    fn extensions(&mut self, element: Element<'_>) -> Option<()> {
        let mut extensions = element.elements().expect(SEQUENCE)?.elements();
        for _ in 0..EXTENSIONS_MAX {
            let Some(extension) = extensions.next() else { return Some(()) };
            let mut parts = extension.elements();
            let name = parts.expect(OBJECT)?.inside;
            let critical = parts.optional(BOOLEAN).is_some_and(|flag| flag.inside != [0]);
            let value = parts.expect(OCTET_STRING)?.inside;
            match name {
                BASIC_CONSTRAINTS => {
                    let mut constraints = Der(value).expect(SEQUENCE)?.elements();
                    self.is_authority = constraints.optional(BOOLEAN).is_some_and(|flag| flag.inside != [0]);
                }
                TN_AUTH_LIST => self.numbers = numbers(value),
                KEY_USAGE => {}
                _ if critical => return None,
                _ => {}
            }
        }
        None
    }

    /// Whether it is in force at this time, in seconds since 1970.
    pub(crate) fn is_in_force(&self, now: i64) -> bool {
        (self.valid.0..=self.valid.1).contains(&now)
    }

    /// Whether it may speak for this number, in digits: nothing if it does not say, or speaks for a whole
    /// operator, whose numbers only the operator knows.
    pub fn speaks_for(&self, digits: &str) -> Option<bool> {
        let numbers = self.numbers.as_ref()?;
        if numbers.iter().any(|numbers| matches!(numbers, Numbers::Operator(_))) {
            return None;
        }
        let value: u64 = digits.parse().ok()?;
        Some(numbers.iter().any(|numbers| match numbers {
            Numbers::One(one) => one == digits,
            Numbers::Range(from, count) => value >= *from && value - from < *count,
            Numbers::Operator(_) => false,
        }))
    }
}

fn algorithm<'a>(element: Element<'a>) -> Option<&'a [u8]> {
    Some(element.elements().expect(OBJECT)?.inside)
}

fn key(element: Element<'_>) -> Option<Vec<u8>> {
    let mut parts = element.elements();
    let mut kind = parts.expect(SEQUENCE)?.elements();
    let is_p256 = kind.expect(OBJECT)?.inside == EC_PUBLIC_KEY && kind.expect(OBJECT)?.inside == P256;
    let point = parts.expect(BIT_STRING)?.bits()?;
    is_p256.then(|| point.to_vec())
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5), in seconds since 1970.
fn time(element: Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(element.inside).ok()?.strip_suffix('Z')?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = match (element.tag, text.len()) {
        (UTC_TIME, 12) if digits => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year >= 50 { 1900 + year } else { 2000 + year }, rest)
        }
        (GENERALIZED_TIME, 14) if digits => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (two(0)?, two(2)?);
    ((1..=12).contains(&month) && (1..=31).contains(&day))
        .then_some(days(year, month, day) * 86_400 + two(4)? * 3_600 + two(6)? * 60 + two(8)?)
}

/// Days from 1 January 1970 in the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// TNAuthorizationList (RFC 8226 §9). Nothing if it is not one.
fn numbers(value: &[u8]) -> Option<Vec<Numbers>> {
    let mut entries = Der(value).expect(SEQUENCE)?.elements();
    let mut numbers = Vec::new();
    while let Some(entry) = entries.next() {
        if numbers.len() >= NUMBERS_MAX {
            return None;
        }
        let mut inside = entry.elements();
        let text = |element: Element<'_>| String::from_utf8(element.inside.to_vec()).ok();
        numbers.push(match entry.tag {
            0xa0 => Numbers::Operator(text(inside.next()?)?),
            0xa1 => {
                let mut range = inside.expect(SEQUENCE)?.elements();
                let from = text(range.next()?)?.parse().ok()?;
                let count = range.expect(INTEGER)?.inside;
                let small = count.len() <= 8;
                let count = count.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                Numbers::Range(from, small.then_some(count)?)
            }
            0xa2 => Numbers::One(text(inside.next()?)?),
            _ => return None,
        });
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_in_the_calendar() {
        assert_eq!((days(1970, 1, 1), days(2000, 3, 1), days(2026, 11, 22)), (0, 11_017, 20_779));
    }

    #[test]
    fn a_certificate_speaks_for_its_numbers_and_an_operators_for_whom_it_knows() {
        let list = [
            0x30, 0x1f, 0xa1, 0x11, 0x30, 0x0f, 0x16, 0x0a, b'3', b'9', b'0', b'6', b'1', b'2', b'3', b'4',
            b'0', b'0', 0x02, 0x01, 100, 0xa2, 0x0a, 0x16, 0x08, b'3', b'9', b'0', b'6', b'9', b'9', b'9',
            b'9',
        ];
        let list = numbers(&list).unwrap();
        assert_eq!(list, [Numbers::Range(3_906_123_400, 100), Numbers::One("39069999".to_owned())]);
        let certificate = |numbers| Certificate {
            signed: Vec::new(),
            signature: Vec::new(),
            issuer: Vec::new(),
            subject: Vec::new(),
            key: Vec::new(),
            valid: (0, 0),
            is_authority: false,
            numbers,
        };
        let ours = certificate(Some(list));
        for (digits, speaks) in
            [("3906123400", true), ("3906123499", true), ("3906123500", false), ("39069999", true)]
        {
            assert_eq!(ours.speaks_for(digits), Some(speaks), "{digits}");
        }
        assert_eq!(certificate(None).speaks_for("39"), None);
        assert_eq!(certificate(Some(vec![Numbers::Operator("1234".to_owned())])).speaks_for("39"), None);
    }
}
