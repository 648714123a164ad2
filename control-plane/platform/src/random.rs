//! The only source of chance.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::digest;
use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_contract::time::UnixMillis;
use uuid::Uuid;

use crate::secret::Secret;

/// Fills bytes nobody can foresee.
pub trait Random: Send + Sync + Debug {
    /// Overwrites all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Random + '_ {
    /// A fresh id whose order is that of its making.
    pub fn id<T: From<Uuid>>(&self, now: UnixMillis) -> T {
        let mut bytes = [0_u8; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(now.0).unwrap_or_default();
        T::from(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }

    /// 256 random bits as 43 characters of base64url.
    pub fn token(&self) -> Secret {
        let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
        self.fill(bytes.as_mut_slice());
        Secret::new(Base64UrlUnpadded::encode_string(bytes.as_slice()))
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // SECURITY: without randomness nothing here may go on; predictable tokens are worse than a
        // stopped process.
        if aws_lc_rs::rand::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}

/// The same bytes for the same seed, for tests.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    counter: AtomicU64,
}

impl SeededRandom {
    /// Starts the sequence that belongs to `seed`.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: AtomicU64::new(0),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::SeqCst);
            let mut block = [0_u8; 16];
            let (left, right) = block.split_at_mut(8);
            left.copy_from_slice(&self.seed.to_be_bytes());
            right.copy_from_slice(&count.to_be_bytes());
            let digest = digest::digest(&digest::SHA256, &block);
            for (byte, random) in chunk.iter_mut().zip(digest.as_ref()) {
                *byte = *random;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use plinto_contract::ids::UserId;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_other_calls_other_bytes() {
        let (one, two) = (SeededRandom::new(7), SeededRandom::new(7));
        let mut a = [0_u8; 40];
        let mut b = [0_u8; 40];
        one.fill(&mut a);
        two.fill(&mut b);
        assert_eq!(a, b);
        one.fill(&mut b);
        assert_ne!(a, b);
    }

    #[test]
    fn tokens_have_256_bits_and_ids_carry_the_moment() {
        let random: &dyn Random = &SystemRandom;
        assert_eq!(random.token().expose().len(), 43);
        let id: UserId = random.id(UnixMillis(1_700_000_000_000));
        assert_eq!(id.uuid().get_version_num(), 7);
    }
}
