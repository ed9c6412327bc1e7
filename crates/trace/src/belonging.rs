//! Which call a message belongs to: by its Call-ID, which the log's facts tell of each leg. What came just
//! before its call was known (a challenged INVITE, its 401 and its ACK) waits for a moment.

use crate::mask::after_blank_lines;
use crate::{Traced, Way};
use base::{Time, Wall};
use sip::ua::Flow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Call-IDs of calls that are known at a time. What is beyond is not traced, and is counted. Two legs each of 500 calls
/// a second fit for as long as they are kept after their end, and as many again that go on.
const CALL_IDS_MAX: usize = 2 * 2 * 500 * AFTER_THE_END.as_secs() as usize;
/// A longer Call-ID is nobody's but an attacker's.
const CALL_ID_BYTES_MAX: usize = 1024;
/// Messages that wait for their call, and their bytes. The oldest go first.
const EARLY_MAX: usize = 1024;
const EARLY_BYTES_MAX: usize = 1024 * 1024;
/// The last repetitions of a call's messages come within 64·T1 (RFC 3261 §17) of its end.
const AFTER_THE_END: Duration = Duration::from_secs(32);

/// The open calls by the Call-IDs of their legs.
#[derive(Debug, Default)]
pub struct Belonging {
    calls: BTreeMap<Box<str>, Arc<str>>,
    call_ids: BTreeMap<Arc<str>, Vec<Box<str>>>,
    ended: VecDeque<(Time, Arc<str>)>,
    early: VecDeque<Early>,
    early_bytes: usize,
    refused: u64,
}

#[derive(Debug)]
struct Early {
    call_id: Box<str>,
    at: Wall,
    way: Way,
    flow: Flow,
    bytes: Vec<u8>,
}

impl Belonging {
    /// A message went by. Gives it back if its call is known.
    pub fn saw(&mut self, at: Wall, way: Way, flow: Flow, bytes: &[u8]) -> Option<Traced> {
        let heading = heading(bytes)?;
        if let Some(call) = self.calls.get(heading.call_id) {
            return Some(Traced { at, call: call.clone(), way, flow, bytes: bytes.to_vec() });
        }
        if heading.of_invite {
            let call_id = heading.call_id.into();
            self.keep(Early { call_id, at, way, flow, bytes: bytes.to_vec() });
        }
        None
    }

    /// The call has a leg with this Call-ID. Gives its messages that went by before this was known.
    pub fn learn(&mut self, call: &str, call_id: &str) -> Vec<Traced> {
        if self.calls.contains_key(call_id) {
            return Vec::new();
        }
        if self.calls.len() >= CALL_IDS_MAX || call_id.len() > CALL_ID_BYTES_MAX {
            self.refused += 1;
            return Vec::new();
        }
        let call = self.call_ids.get_key_value(call).map_or_else(|| call.into(), |(known, _)| known.clone());
        self.calls.insert(call_id.into(), call.clone());
        self.call_ids.entry(call.clone()).or_default().push(call_id.into());
        if !self.early.iter().any(|early| *early.call_id == *call_id) {
            return Vec::new();
        }
        let (its, others) =
            std::mem::take(&mut self.early).into_iter().partition(|early| *early.call_id == *call_id);
        self.early = others;
        let its: VecDeque<Early> = its;
        self.early_bytes -= its.iter().map(|early| early.bytes.len()).sum::<usize>();
        let traced = |early: Early| {
            let Early { at, way, flow, bytes, .. } = early;
            Traced { at, call: call.clone(), way, flow, bytes }
        };
        its.into_iter().map(traced).collect()
    }

    /// How many legs are not traced, because too many were or their Call-IDs were too long.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// The call has ended. It can be forgotten when its last repetitions must have come.
    pub fn ended(&mut self, now: Time, call: &str) {
        if let Some((call, _)) = self.call_ids.get_key_value(call) {
            self.ended.push_back((now + AFTER_THE_END, call.clone()));
        }
    }

    /// Forgets calls that ended long enough ago.
    pub fn forget(&mut self, now: Time) {
        while let Some((_, over)) = self.ended.pop_front_if(|(until, _)| *until <= now) {
            for call_id in self.call_ids.remove(&over).into_iter().flatten() {
                self.calls.remove(&call_id);
            }
        }
        // A busy hour's room goes back.
        if self.ended.len() < self.ended.capacity() / 4 {
            self.ended.shrink_to(2 * self.ended.len());
        }
    }

    fn keep(&mut self, early: Early) {
        self.early_bytes += early.bytes.len();
        self.early.push_back(early);
        while self.early.len() > EARLY_MAX || self.early_bytes > EARLY_BYTES_MAX {
            let Some(oldest) = self.early.pop_front() else { return };
            self.early_bytes -= oldest.bytes.len();
        }
    }
}

struct Heading<'a> {
    call_id: &'a str,
    /// The message has to do with an INVITE.
    of_invite: bool,
}

/// What is to be known of a message, without reading the whole of it.
fn heading(bytes: &[u8]) -> Option<Heading<'_>> {
    let (mut call_id, mut of_invite) = (None, false);
    for line in after_blank_lines(bytes).split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line.get(..colon)?.trim_ascii(), line.get(colon + 1..)?.trim_ascii());
        if name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i") {
            call_id = call_id.or_else(|| std::str::from_utf8(value).ok());
        } else if name.eq_ignore_ascii_case(b"cseq") {
            of_invite = value.ends_with(b"INVITE") || value.ends_with(b"ACK");
        }
    }
    let call_id = call_id.filter(|call_id| call_id.len() <= CALL_ID_BYTES_MAX)?;
    Some(Heading { call_id, of_invite })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::ua::Transport;

    fn flow() -> Flow {
        let address = "127.0.0.1:5060".parse().unwrap();
        Flow { transport: Transport::Udp, local: address, remote: address }
    }

    fn message(method: &str, call_id: &str) -> Vec<u8> {
        format!("{method} sip:x SIP/2.0\r\nCSeq: 1 {method}\r\ni : {call_id}\r\n\r\nCall-ID: no\r\n")
            .into_bytes()
    }

    fn saw(belonging: &mut Belonging, method: &str, call_id: &str) -> Option<String> {
        let wall = Wall::from_unix_micros(1);
        belonging.saw(wall, Way::In, flow(), &message(method, call_id)).map(|traced| traced.call.to_string())
    }

    #[test]
    fn the_room_of_a_busy_hour_goes_back_when_its_calls_are_forgotten() {
        let mut belonging = Belonging::default();
        for number in 0..2_000 {
            belonging.learn(&format!("c{number}"), &format!("i{number}"));
            belonging.ended(Time::ZERO, &format!("c{number}"));
        }
        assert!(belonging.ended.capacity() >= 2_000);
        belonging.forget(Time::ZERO + AFTER_THE_END);
        assert!(belonging.ended.capacity() <= 8, "{}", belonging.ended.capacity());
        assert!(belonging.calls.is_empty() && belonging.call_ids.is_empty());
    }

    #[test]
    fn what_came_before_its_call_was_known_belongs_to_it_and_what_comes_later_too() {
        let mut belonging = Belonging::default();
        assert_eq!(saw(&mut belonging, "INVITE", "a"), None);
        assert_eq!(saw(&mut belonging, "ACK", "a"), None);
        assert_eq!(saw(&mut belonging, "INVITE", "b"), None);
        let early = belonging.learn("c1", "a");
        assert_eq!(early.len(), 2);
        assert!(early.iter().all(|traced| *traced.call == *"c1"));
        assert_eq!(early[0].bytes, message("INVITE", "a"));
        assert_eq!(saw(&mut belonging, "BYE", "a"), Some("c1".into()));
        assert_eq!(saw(&mut belonging, "BYE", "b"), None);
        assert_eq!(belonging.learn("c1", "a"), [], "told twice");
        assert_eq!(belonging.learn("c1", "b").len(), 1);
        assert_eq!(saw(&mut belonging, "BYE", "b"), Some("c1".into()));
    }

    #[test]
    fn a_call_is_forgotten_a_while_after_its_end() {
        let mut belonging = Belonging::default();
        belonging.learn("c1", "a");
        belonging.ended(Time::ZERO, "c1");
        assert_eq!(saw(&mut belonging, "BYE", "a"), Some("c1".into()));
        belonging.forget(Time::from_millis(31_999));
        assert_eq!(saw(&mut belonging, "BYE", "a"), Some("c1".into()));
        belonging.forget(Time::from_millis(32_000));
        assert_eq!(saw(&mut belonging, "BYE", "a"), None);
        assert!(belonging.calls.is_empty() && belonging.call_ids.is_empty() && belonging.ended.is_empty());
    }

    #[test]
    fn empty_lines_before_a_message_are_no_part_of_it() {
        let mut belonging = Belonging::default();
        belonging.learn("c1", "a");
        let bytes = [b"\r\n\n\r\n".to_vec(), message("BYE", "a")].concat();
        let traced = belonging.saw(Wall::from_unix_micros(1), Way::In, flow(), &bytes);
        assert_eq!(traced.map(|traced| traced.bytes), Some(bytes));
    }

    #[test]
    fn two_legs_of_500_calls_a_second_fit_until_they_are_forgotten_and_what_does_not_is_counted() {
        let mut belonging = Belonging::default();
        for second in 0..100 {
            for call in 0..500 {
                let (now, call) = (Time::from_millis(1000 * second), format!("c{second}-{call}"));
                belonging.learn(&call, &format!("{call}-caller"));
                belonging.learn(&call, &format!("{call}-agent"));
                belonging.ended(now, &call);
                belonging.forget(now);
            }
        }
        assert_eq!(belonging.refused(), 0);
        for call in 0..=CALL_IDS_MAX {
            belonging.learn("c", &format!("open-{call}"));
        }
        assert_eq!(belonging.calls.len(), CALL_IDS_MAX);
        assert!(belonging.refused() > 0);
    }

    #[test]
    fn a_flood_of_strangers_grows_nothing() {
        let mut belonging = Belonging::default();
        for stranger in 0..10_000 {
            saw(&mut belonging, "INVITE", &format!("stranger-{stranger}"));
            saw(&mut belonging, "REGISTER", &format!("phone-{stranger}"));
        }
        assert_eq!(belonging.early.len(), EARLY_MAX);
        let held: usize = belonging.early.iter().map(|early| early.bytes.len()).sum();
        assert_eq!(belonging.early_bytes, held);
        assert_eq!(belonging.learn("c1", "phone-9999"), [], "only what an INVITE begins may become a call");
        assert_eq!(saw(&mut belonging, "INVITE", &"x".repeat(2000)), None);
    }
}
