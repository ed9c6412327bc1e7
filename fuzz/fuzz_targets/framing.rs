#![no_main]
//! A stream gives the same messages however it is cut, and keeps no more than its limit.

use libfuzzer_sys::fuzz_target;
use sip::framing::{Frame, StreamFramer};
use sip::message::ParseLimits;

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cuts, stream) = input;
    let whole = frames(&[stream]);
    let mut pieces = Vec::new();
    let mut rest = stream;
    for cut in cuts {
        let (piece, after) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    assert_eq!(whole, frames(&pieces));
});

/// The messages, pings as empty ones, and whether the stream ended in a fault.
fn frames(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
    let limits = ParseLimits { message: 4_096, ..ParseLimits::default() };
    let mut framer = StreamFramer::new(limits);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        for frame in framer.by_ref() {
            match frame {
                Ok(Frame::Message(bytes)) => frames.push(bytes),
                Ok(Frame::Ping | Frame::Pong) => frames.push(Vec::new()),
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}
