//! Which number stands for what. As long as a session lives, none changes its meaning (RFC 3264 §8.3.2).

use media_api::{COMFORT_NOISE, Codec, Payload};

/// The dynamic payload types (RFC 3551 §3).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

/// The numbers of one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// By which each of what we know goes.
    given: Vec<(Payload, u8)>,
    /// A bit for each number that has ever meant anything here.
    used: u128,
}

impl Numbers {
    /// The peer's offer has this number for something, perhaps for what we know.
    pub(super) fn take(&mut self, payload_type: u8, payload: Option<Payload>) {
        self.used |= bit(payload_type);
        let Some(payload) = payload else { return };
        self.given.retain(|(known, number)| *known != payload && *number != payload_type);
        self.given.push((payload, payload_type));
    }

    /// The number by which this goes from now on, if there is one left.
    pub(super) fn of(&mut self, payload: Payload) -> Option<u8> {
        if let Some((_, number)) = self.given.iter().find(|(known, _)| *known == payload) {
            return Some(*number);
        }
        let is_free = |number: &u8| self.used & bit(*number) == 0;
        let (fixed, liked) = usual(payload);
        let dynamic = || (liked..=*DYNAMIC.end()).chain(DYNAMIC).find(is_free);
        let number = fixed.filter(is_free).or_else(dynamic)?;
        self.take(number, Some(payload));
        Some(number)
    }
}

/// The number that stands for it anyway, and the one from which a dynamic one is looked for.
fn usual(payload: Payload) -> (Option<u8>, u8) {
    match payload {
        Payload::Speech(codec) => (codec.static_payload_type(), if codec == Codec::L16 { 97 } else { 96 }),
        Payload::Digits { clock_rate: 8000 } => (None, 101),
        Payload::Digits { .. } => (None, 110),
        Payload::ComfortNoise => (Some(COMFORT_NOISE), *DYNAMIC.start()),
    }
}

fn bit(payload_type: u8) -> u128 {
    1u128.checked_shl(payload_type.into()).unwrap_or(0)
}
