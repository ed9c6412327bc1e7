//! Messages out of a stream, however it is cut into pieces.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use sip::framing::{Frame, FramingError, StreamFramer};
use sip::message::{Message, ParseError, ParseLimits};

const LIMITS: ParseLimits = ParseLimits { message: 2_000, headers: 50, header: 1_000 };

fn frames(framer: &mut StreamFramer, bytes: &[u8]) -> Vec<Result<Frame, FramingError>> {
    framer.push(bytes);
    framer.collect()
}

fn message(text: &str) -> Result<Frame, FramingError> {
    Ok(Frame::Message(text.as_bytes().to_vec()))
}

const WITH_BODY: &str = "INVITE sip:a@b SIP/2.0\r\nl:\r\n 5\r\nSubject: x\r\n\r\nhello";
const WITHOUT: &str = "BYE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n";

#[test]
fn messages_and_pings_come_out_in_order_wherever_the_stream_is_cut() {
    let stream = format!("{WITH_BODY}{WITHOUT}\r\n\r\n{WITHOUT}\r\n{WITH_BODY}\r\n\r\n\r\n\r\n");
    let expected = [
        message(WITH_BODY),
        message(WITHOUT),
        Ok(Frame::Ping),
        message(WITHOUT),
        message(WITH_BODY),
        Ok(Frame::Ping),
        Ok(Frame::Ping),
    ];
    for size in 1..=stream.len() {
        let mut framer = StreamFramer::new(LIMITS);
        let came: Vec<_> =
            stream.as_bytes().chunks(size).flat_map(|piece| frames(&mut framer, piece)).collect();
        assert_eq!(came, expected, "in pieces of {size}");
        assert!(framer.is_between_messages());
    }
}

#[test]
fn on_a_connection_that_we_opened_every_line_end_between_messages_is_a_pong() {
    let stream = format!("\r\n{WITH_BODY}\r\n\r\n{WITHOUT}");
    for size in 1..=stream.len() {
        let mut framer = StreamFramer::of_opened(LIMITS);
        let came: Vec<_> =
            stream.as_bytes().chunks(size).flat_map(|piece| frames(&mut framer, piece)).collect();
        let pong = || Ok(Frame::Pong);
        assert_eq!(
            came,
            [pong(), message(WITH_BODY), pong(), pong(), message(WITHOUT)],
            "in pieces of {size}"
        );
    }
}

#[test]
fn what_cannot_be_framed_gives_its_head_once_then_the_error_then_nothing() {
    let table = [
        ("Content-Length: -1", FramingError::ContentLength),
        ("Content-Length: 1 2", FramingError::ContentLength),
        ("Content-Length:", FramingError::ContentLength),
        ("Content-Length: 1\r\nl: 2", FramingError::ContentLength),
        ("Content-Length: 1\r\n 2", FramingError::ContentLength),
        ("Content-Length: 1990", FramingError::MessageTooLarge),
        ("Content-Length: 99999999999999999999999999", FramingError::MessageTooLarge),
    ];
    for (line, error) in table {
        let head = format!("BYE sip:a@b SIP/2.0\r\n{line}\r\n\r\n");
        let mut framer = StreamFramer::new(LIMITS);
        let came = frames(&mut framer, format!("{head}and more").as_bytes());
        assert_eq!(came, [message(&head), Err(error)], "{line}");
        assert_eq!(frames(&mut framer, WITHOUT.as_bytes()), [], "{line}");
    }
}

#[test]
fn a_head_without_an_end_is_cut_off_at_the_limit() {
    let mut framer = StreamFramer::new(LIMITS);
    assert_eq!(frames(&mut framer, &[b'x'; 1_990]), []);
    assert_eq!(frames(&mut framer, &[b'x'; 11]), [Err(FramingError::HeadTooLarge)]);
    let mut framer = StreamFramer::new(LIMITS);
    let lines = "X: y\r\n".repeat(1_000);
    assert_eq!(frames(&mut framer, lines.as_bytes()), [Err(FramingError::HeadTooLarge)]);
}

/// Two readers that disagree where a message ends let somebody smuggle a second one in.
#[test]
fn the_parser_agrees_with_the_framer_where_a_message_ends() {
    let heads = [
        "BYE sip:a@b SIP/2.0\r\nX: a\n\nl: 3\r\n\r\n",
        "BYE sip:a@b SIP/2.0\r\nX: a\r\r\n\r\n",
        "BYE sip:a@b SIP/2.0\r\nl: 2\r\nno colon\r\n 7\r\n\r\n",
        "BYE sip:a@b SIP/2.0\r\nContent Length: 9\r\n\r\n",
        "BYE sip:a@b SIP/2.0\r\nContent-Length : 3\r\n\r\n",
        "BYE sip:a@b SIP/2.0\r\n \r\nl: 3\r\n\r\n",
    ];
    for head in heads {
        let mut framer = StreamFramer::new(LIMITS);
        let framed = frames(&mut framer, format!("{head}abcdefghijklmnop").as_bytes());
        let Some(Ok(Frame::Message(bytes))) = framed.into_iter().next() else { panic!("{head:?}") };
        let length = bytes.len();
        match Message::parse(bytes, &LIMITS) {
            Ok(message) => assert_eq!(message.bytes().len(), length, "{head:?}"),
            Err(ParseError::BadRequest { fault, .. }) => assert_eq!(fault.status, 400, "{head:?}"),
            Err(ParseError::Unanswerable { .. }) => {}
            Err(ParseError::KeepAlive) => panic!("{head:?}"),
        }
    }
}
