//! Chance as a value: every machine gets its own seed, derived by name, so that one more draw in one
//! place disturbs nothing anywhere else. The generator is ChaCha12, so tags and nonces that peers see
//! tell them nothing about those to come.

const ROUNDS: usize = 12;
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// A root of chance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u32; 8]);

impl Seed {
    /// A seed from 32 bytes, as the operating system gives them to the shell.
    pub fn from_bytes(bytes: [u8; 32]) -> Seed {
        let mut key = [0; 8];
        for (word, chunk) in key.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        }
        Seed(key)
    }

    /// A seed from a number, for tests and the simulator.
    pub fn from_number(number: u64) -> Seed {
        Seed([number as u32, (number >> 32) as u32, 0, 0, 0, 0, 0, 0])
    }

    /// The seed called `name` under this one.
    pub fn named(&self, name: &str) -> Seed {
        let mut key = self.0;
        for chunk in name.as_bytes().chunks(16) {
            let mut words = [0u32; 4];
            for (at, byte) in chunk.iter().enumerate() {
                words[at / 4] |= u32::from(*byte) << (8 * (at % 4));
            }
            key = absorb(key, words);
        }
        Seed(absorb(key, [name.len() as u32, 0, 0, u32::MAX]))
    }

    /// The seed numbered `number` under this one.
    pub fn numbered(&self, number: u64) -> Seed {
        Seed(absorb(self.0, [number as u32, (number >> 32) as u32, 1, u32::MAX]))
    }

    /// A generator that starts here.
    pub fn rng(&self) -> Rng {
        Rng { key: self.0, counter: 0, block: [0; 16], used: 16 }
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

fn absorb(key: [u32; 8], words: [u32; 4]) -> [u32; 8] {
    let block = chacha(&key, words);
    let mut next = [0; 8];
    next.copy_from_slice(&block[..8]);
    next
}

/// A stream of numbers that is the same whenever its seed is.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 8],
    counter: u64,
    block: [u32; 16],
    used: usize,
}

impl Rng {
    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 16 {
            self.block = chacha(&self.key, [self.counter as u32, (self.counter >> 32) as u32, 0, 0]);
            self.counter += 1;
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// A number below `bound` (0 if `bound` is 0), without bias that a help desk could notice.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True `permille` times in a thousand.
    pub fn chance_permille(&mut self, permille: u32) -> bool {
        self.below(1000) < u64::from(permille)
    }

    /// `length` characters of a token that RFC 3261 lets stand anywhere (a-z, 0-9).
    pub fn token(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
        (0..length).map(|_| char::from(ALPHABET[(self.next_u32() >> 27) as usize])).collect()
    }
}

fn chacha(key: &[u32; 8], nonce: [u32; 4]) -> [u32; 16] {
    let mut state = [0u32; 16];
    state[..4].copy_from_slice(&CONSTANTS);
    state[4..12].copy_from_slice(key);
    state[12..].copy_from_slice(&nonce);
    let start = state;
    for _ in 0..ROUNDS / 2 {
        for [a, b, c, d] in [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]] {
            quarter_round(&mut state, a, b, c, d);
        }
        for [a, b, c, d] in [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] {
            quarter_round(&mut state, a, b, c, d);
        }
    }
    for (word, first) in state.iter_mut().zip(start) {
        *word = word.wrapping_add(first);
    }
    state
}

fn quarter_round(state: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (x, y, z, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        state[x] = state[x].wrapping_add(state[y]);
        state[z] = (state[z] ^ state[x]).rotate_left(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_gives_the_same_stream_and_another_name_another() {
        let root = Seed::from_number(7);
        assert_eq!(root.named("sip.branch").rng().token(20), root.named("sip.branch").rng().token(20));
        assert_ne!(root.named("sip.branch").rng().token(20), root.named("sip.tag").rng().token(20));
        assert_ne!(root.numbered(1).rng().next_u64(), root.numbered(2).rng().next_u64());
        assert_ne!(root.named("a\0"), root.named("a"));
    }

    /// RFC 8439 §2.3.2 gives the block of ChaCha20; the quarter round is the same one (§2.1.1).
    #[test]
    fn the_quarter_round_is_that_of_rfc_8439() {
        let mut state = [0u32; 16];
        (state[0], state[1], state[2], state[3]) = (0x1111_1111, 0x0102_0304, 0x9b8d_6f43, 0x0123_4567);
        quarter_round(&mut state, 0, 1, 2, 3);
        assert_eq!(state[..4], [0xea2a_92f4, 0xcb1c_f8ce, 0x4581_472e, 0x5881_c4bb]);
    }

    #[test]
    fn draws_below_a_bound_cover_it() {
        let mut rng = Seed::from_number(1).rng();
        let mut seen = [false; 10];
        for _ in 0..1000 {
            seen[rng.below(10) as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
        assert_eq!(rng.below(0), 0);
    }
}
