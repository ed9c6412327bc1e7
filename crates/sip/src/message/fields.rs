//! Header fields with their meaning.

use super::{Fault, HeaderName, Message, Method, NameAddr, Via};

impl Message {
    /// The topmost Via.
    pub fn top_via(&self) -> Result<Via<'_>, Fault> {
        self.vias().next().unwrap_or(Err(Fault::bad("there is no Via")))
    }

    /// All Via values, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, Fault>> {
        self.list(HeaderName::Via).map(Via::parse)
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr<'_>, Fault> {
        NameAddr::parse(self.header(HeaderName::From).ok_or(Fault::bad("there is no From"))?)
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr<'_>, Fault> {
        NameAddr::parse(self.header(HeaderName::To).ok_or(Fault::bad("there is no To"))?)
    }

    /// All Contact values, in order. `*` is one whose `uri` is `*`.
    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr<'_>, Fault>> {
        self.list(HeaderName::Contact).map(NameAddr::parse)
    }

    /// Whether its sender takes answers of this media type; of any, if there is no Accept.
    pub(crate) fn accepts(&self, media_type: &str) -> bool {
        let kind = media_type.split('/').next().unwrap_or("");
        let mut ranges = self.list(HeaderName::Accept).peekable();
        ranges.peek().is_none()
            || ranges.any(|range| {
                let range = range.split(';').next().unwrap_or("").trim();
                let any_of_kind = range.strip_suffix("/*");
                range == "*/*"
                    || range.eq_ignore_ascii_case(media_type)
                    || any_of_kind.is_some_and(|named| named.eq_ignore_ascii_case(kind))
            })
    }

    /// Call-ID; compared byte by byte (RFC 3261 §20.8).
    pub fn call_id(&self) -> Result<&str, Fault> {
        self.header(HeaderName::CallId)
            .filter(|id| !id.is_empty() && !id.contains([' ', '\t', ',']))
            .ok_or(Fault::bad("there is no Call-ID, or it is no word"))
    }

    /// CSeq: a number below 2^31 (RFC 3261 §8.1.1.5) and the method.
    pub fn cseq(&self) -> Result<(u32, Method<'_>), Fault> {
        let value = self.header(HeaderName::CSeq).ok_or(Fault::bad("there is no CSeq"))?;
        let (number, method) =
            value.split_once([' ', '\t']).ok_or(Fault::bad("CSeq is not a number and a method"))?;
        let number = decimal(number)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number < 1 << 31)
            .ok_or(Fault::bad("the number of CSeq is not below 2^31"))?;
        Ok((number, Method::of(method.trim_start_matches([' ', '\t']))))
    }

    /// Max-Forwards, if there is one that is a number up to 255.
    pub fn max_forwards(&self) -> Option<u8> {
        decimal(self.header(HeaderName::MaxForwards)?).and_then(|number| u8::try_from(number).ok())
    }

    /// Expires in seconds; a number that is too large counts as the largest (RFC 3261 §20.19).
    pub fn expires(&self) -> Option<u32> {
        self.number(HeaderName::Expires)
    }

    /// The number that a header field begins with: Expires, Min-Expires, Retry-After, RSeq. One that is
    /// too large counts as the largest.
    pub fn number(&self, header: HeaderName) -> Option<u32> {
        let value = self.header(header)?;
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        decimal(value.get(..digits)?).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// The Route set of a request: URIs without brackets, in order.
    pub fn routes(&self) -> impl Iterator<Item = Result<&str, Fault>> {
        self.list(HeaderName::Route).map(|value| NameAddr::parse(value).map(|route| route.uri))
    }

    /// The Record-Route URIs without brackets, in the order of the message (a caller reverses them,
    /// RFC 3261 §12.1.2).
    pub fn record_routes(&self) -> impl Iterator<Item = Result<&str, Fault>> {
        self.list(HeaderName::RecordRoute).map(|value| NameAddr::parse(value).map(|route| route.uri))
    }

    /// Content-Length; nothing if it is not there. Several that agree are one.
    pub fn content_length(&self) -> Result<Option<usize>, Fault> {
        let mut length = None;
        for value in self.headers(HeaderName::ContentLength) {
            let this = decimal(value)
                .and_then(|number| usize::try_from(number).ok())
                .ok_or(Fault::bad("Content-Length is not a number"))?;
            if length.is_some_and(|earlier| earlier != this) {
                return Err(Fault::bad("there are several Content-Length that differ"));
            }
            length = Some(this);
        }
        Ok(length)
    }

    /// The media type of the body without its parameters, such as `application/sdp`; compare it in
    /// whatever case.
    pub fn content_type(&self) -> Option<&str> {
        let value = self.header(HeaderName::ContentType)?;
        Some(value.split_once(';').map_or(value, |(kind, _)| kind).trim_end())
    }
}

/// A number of digits only, which is not larger than `u64` holds, or the largest.
pub(super) fn decimal(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}
