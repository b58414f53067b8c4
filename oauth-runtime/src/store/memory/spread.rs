//! How the keys of a bucket are spread.

use std::hash::{BuildHasher, Hasher};

/// Hashes keys, which are hashes already: this only hides which of them collide, since strangers can choose what some
/// of them are about.
pub(super) struct Spread {
    seeds: [u64; 2],
}

impl Default for Spread {
    fn default() -> Self {
        Spread { seeds: [rand::random(), rand::random()] }
    }
}

impl BuildHasher for Spread {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        let [state, factor] = self.seeds;
        Folded { state, factor: factor | 1 }
    }
}

pub(super) struct Folded {
    state: u64,
    factor: u64,
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.write_u64(u64::from_ne_bytes(*word)));
        rest.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.factor);
        self.state = (product >> 64) as u64 ^ product as u64;
    }

    fn write_usize(&mut self, _: usize) {
        // All keys are of one length.
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
