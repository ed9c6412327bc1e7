use super::printable;
use media_api::Direction;
use sip::message::{HeaderName, Message, ParseError, ParseLimits, Start};
use sip::sdp::{Media, Sdp};

/// The most of a start line that is shown on an arrow.
const LABEL_MAX: usize = 48;

/// A message in few words.
pub(super) struct Summary {
    pub(super) call_id: Option<String>,
    pub(super) label: String,
    pub(super) details: Vec<String>,
}

impl Summary {
    pub(super) fn of(bytes: &[u8]) -> Summary {
        match Message::parse(bytes.to_vec(), &ParseLimits::default()) {
            Ok(message) => Summary::read(&message, None),
            Err(ParseError::BadRequest { fault, request }) => Summary::read(&request, Some(fault.why)),
            Err(error) => {
                let text = String::from_utf8_lossy(bytes);
                let first = text.lines().next().unwrap_or_default();
                Summary {
                    call_id: None,
                    label: cut(&printable(first)),
                    details: vec![format!("malformed: {error}")],
                }
            }
        }
    }

    fn read(message: &Message, malformed: Option<&str>) -> Summary {
        let label = match message.start() {
            Start::Request { method, uri } => format!("{} {uri}", method.as_str()),
            Start::Response { status, reason } => match message.cseq() {
                Ok((_, method)) => format!("{status} {reason} ({})", method.as_str()),
                Err(_) => format!("{status} {reason}"),
            },
        };
        let mut details: Vec<String> = malformed.map(|why| format!("malformed: {why}")).into_iter().collect();
        if let Ok(sdp) = Sdp::parse(message.body()) {
            details.extend(sdp.media.iter().map(media));
        }
        for name in ["Reason", "Warning", "Retry-After", "Refer-To"] {
            details.extend(message.header_named(name).map(|value| format!("{name}: {}", printable(value))));
        }
        let call_id = message.header(HeaderName::CallId).map(str::to_owned);
        Summary { call_id, label: cut(&printable(&label)), details }
    }
}

/// A media line: kind, address, codecs, direction.
fn media(media: &Media) -> String {
    let address = media.address.map_or_else(|| "?".to_owned(), |address| address.to_string());
    let codecs: Vec<String> = media.formats.iter().map(|format| codec(media, format)).collect();
    let at = if address.contains(':') {
        format!("[{address}]:{}", media.port)
    } else {
        format!("{address}:{}", media.port)
    };
    let refused = if media.port == 0 { " refused" } else { "" };
    let direction = match media.direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    };
    printable(&format!("{} {direction}{refused} {} {at}", media.kind, codecs.join(",")))
}

/// The codec's name, by what the description says or by RFC 3551 §6.
fn codec(media: &Media, format: &str) -> String {
    let known = format.parse().ok().and_then(|number| media.encoding_of(number));
    known.map_or(format, |(encoding, ..)| encoding).to_owned()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LABEL_MAX {
        return text.to_owned();
    }
    let head: String = text.chars().take(LABEL_MAX - 1).collect();
    format!("{head}…")
}
