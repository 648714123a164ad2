//! RSA keys whose primes a flawed library made (CVE-2017-15361, "ROCA"): their modulus can be
//! factored, though it is as long as any other.
//!
//! Such a prime is a power of 65537 modulo every small prime, and so is the product of two. That is
//! the fingerprint. Source: Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, §2.

/// The odd primes up to 167, whose product the flawed primes are built from at every length.
const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const GENERATOR: u32 = 65_537;

/// Whether a modulus carries the fingerprint. One in 2^27 good ones does too: it is refused with
/// them, and another key is made.
/// `modulus`: big-endian.
pub(crate) fn is_fingerprinted(modulus: &[u8]) -> bool {
    SMALL_PRIMES
        .into_iter()
        .all(|prime| is_power(remainder(modulus, prime), prime))
}

fn remainder(modulus: &[u8], prime: u32) -> u32 {
    modulus.iter().fold(0, |remainder, byte| {
        times(remainder, 256, prime)
            .wrapping_add(u32::from(*byte))
            .checked_rem(prime)
            .unwrap_or_default()
    })
}

/// Whether `number` is a power of the generator modulo `prime`.
fn is_power(number: u32, prime: u32) -> bool {
    std::iter::successors(Some(1), |power| {
        Some(times(*power, GENERATOR, prime)).filter(|next| *next != 1)
    })
    .any(|power| power == number)
}

/// A product modulo `prime`; no factor is above 2^17 and 2^8, so nothing wraps.
fn times(left: u32, right: u32, prime: u32) -> u32 {
    left.wrapping_mul(right)
        .checked_rem(prime)
        .unwrap_or_default()
}
