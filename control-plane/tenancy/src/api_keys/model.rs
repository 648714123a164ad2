//! An API key: a secret that says what it is and can be told from junk without asking anybody.

use aws_lc_rs::hmac;
use plinto_contract::{ids::ApiKeyId, problem::FieldError, time::UnixMillis};
use plinto_platform::{
    actor::PermissionSet,
    text::{self, NAME_CHARS},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What every secret starts with, so that scanners of source code recognise one.
pub const PREFIX: &str = "plinto_sk_";
/// 43 base-62 digits hold 256 bits: 192 of chance and 64 of our mark.
const BODY_CHARS: usize = 43;
const BODY_BYTES: usize = 32;
pub(super) const CHANCE_BYTES: usize = 24;
/// 6 base-62 digits hold the 32 bits of a CRC.
const CHECKSUM_CHARS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 60 000 ms: how exact `last_used_at` is. Every use would otherwise be a write.
pub(crate) const USE_RECORDED_EVERY_MS: i64 = 60_000;

/// A machine's credential, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names the key for ever.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// The end of the secret, to tell keys apart.
    pub last_four: String,
    /// What it may do.
    pub permissions: PermissionSet,
    /// Who made it: a user's or key's id, or `system`.
    pub created_by: String,
    /// When it was made.
    pub created_at: UnixMillis,
    /// From when on it is refused; `None`: never.
    pub expires_at: Option<UnixMillis>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<UnixMillis>,
    /// When it was revoked.
    pub revoked_at: Option<UnixMillis>,
}

impl ApiKey {
    /// Whether the key opens anything at a moment.
    pub(crate) fn is_live(&self, now: UnixMillis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    /// See [`ApiKey::name`].
    pub name: String,
    /// See [`ApiKey::permissions`].
    pub permissions: PermissionSet,
    /// See [`ApiKey::expires_at`].
    pub expires_at: Option<UnixMillis>,
}

impl CreateApiKey {
    /// Says which values are not acceptable.
    pub(crate) fn check(&self, now: UnixMillis) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Err(problem) = text::check_name(&self.name, NAME_CHARS) {
            errors.push(problem.at("/name"));
        }
        if self.permissions.is_empty() {
            errors.push(FieldError::new(
                "/permissions",
                "required",
                "a key that may do nothing is of no use",
            ));
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            errors.push(FieldError::new(
                "/expires_at",
                "in_the_past",
                "a moment still to come",
            ));
        }
        errors
    }
}

/// Tells secrets that we made from made-up ones without asking the database: a part of each is a
/// keyed digest of the rest. It opens nothing, it only says which budget pays for a request.
#[derive(Debug)]
pub(crate) struct Marks {
    current: hmac::Key,
    previous: Vec<hmac::Key>,
}

impl Marks {
    /// `current` marks new secrets; those marked by `previous` are still ours.
    pub(crate) fn new(current: hmac::Key, previous: Vec<hmac::Key>) -> Self {
        Self { current, previous }
    }

    /// Whether we made a secret.
    pub(crate) fn are_on(&self, secret: &ApiKeySecret) -> bool {
        let Some(bits) = secret.bits() else {
            return false;
        };
        let (chance, mark) = bits.split_at(CHANCE_BYTES);
        std::iter::once(&self.current)
            .chain(&self.previous)
            .any(|key| hmac::sign(key, chance).as_ref().starts_with(mark))
    }
}

/// A secret in clear. Exists while it is made, shown or checked; never stored, never printed.
pub struct ApiKeySecret(Zeroizing<String>);

impl ApiKeySecret {
    /// Makes a secret from 192 random bits.
    pub(crate) fn from_chance(chance: &[u8; CHANCE_BYTES], marks: &Marks) -> Self {
        let mark = hmac::sign(&marks.current, chance);
        let mut bits = Zeroizing::new([0; BODY_BYTES]);
        let from = chance.iter().chain(mark.as_ref());
        bits.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Self::from_bits(&bits)
    }

    fn from_bits(bits: &[u8; BODY_BYTES]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(
            PREFIX.len() + BODY_CHARS + CHECKSUM_CHARS,
        ));
        text.push_str(PREFIX);
        base62(bits, BODY_CHARS, &mut text);
        let checksum = crc32fast::hash(text.as_bytes()).to_be_bytes();
        base62(&checksum, CHECKSUM_CHARS, &mut text);
        Self(text)
    }

    /// Takes a presented text for a secret if its form and checksum are right: junk costs no
    /// look-up.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        if rest.len() != BODY_CHARS + CHECKSUM_CHARS
            || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return None;
        }
        let (checked, checksum) = text.split_at_checked(PREFIX.len() + BODY_CHARS)?;
        let mut expected = String::with_capacity(CHECKSUM_CHARS);
        base62(
            &crc32fast::hash(checked.as_bytes()).to_be_bytes(),
            CHECKSUM_CHARS,
            &mut expected,
        );
        (expected == checksum).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The bits of the body. `None`: its digits say more than fits.
    fn bits(&self) -> Option<Zeroizing<[u8; BODY_BYTES]>> {
        // In words of 32 bits: this is done for every request that brings a key.
        let mut words = Zeroizing::new([0_u32; BODY_BYTES / 4]);
        let body = self.0.bytes().skip(PREFIX.len()).take(BODY_CHARS);
        for digit in body {
            let mut carry = u64::from(digit_value(digit)?);
            for word in words.iter_mut().rev() {
                let sum = u64::from(*word).saturating_mul(62).saturating_add(carry);
                *word = u32::try_from(sum & u64::from(u32::MAX)).unwrap_or_default();
                carry = sum >> 32;
            }
            if carry > 0 {
                return None;
            }
        }
        let mut bits = Zeroizing::new([0; BODY_BYTES]);
        for (bytes, word) in bits.chunks_exact_mut(4).zip(words.iter()) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Some(bits)
    }

    /// What is stored: SHA-256, 64 hexadecimal characters. 192 random bits need no slow hash.
    pub(crate) fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }

    /// The last four characters.
    pub(crate) fn last_four(&self) -> String {
        let skip = self.0.len().saturating_sub(4);
        self.0.chars().skip(skip).collect()
    }

    /// The secret in clear, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApiKeySecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ApiKeySecret(…)")
    }
}

/// What a base-62 digit stands for, the inverse of [`DIGITS`].
const fn digit_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

/// Appends a big-endian number as `width` base-62 digits.
fn base62(number: &[u8], width: usize, text: &mut String) {
    let mut number = Zeroizing::new(number.to_vec());
    let mut digits = Zeroizing::new(vec![b'0'; width]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in number.iter_mut() {
            let value = (remainder << 8) | u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            remainder = value % 62;
        }
        *digit = DIGITS.get(usize::from(remainder)).copied().unwrap_or(b'0');
    }
    text.extend(digits.iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_256_bits_in_base_62_with_a_checksum() {
        // both by an independent calculation
        let lowest = ApiKeySecret::from_bits(&[0; 32]);
        assert_eq!(
            lowest.expose(),
            "plinto_sk_00000000000000000000000000000000000000000003ybr6d"
        );
        let highest = ApiKeySecret::from_bits(&[255; 32]);
        assert_eq!(
            highest.expose(),
            "plinto_sk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp126Gmf9"
        );
        for secret in [lowest, highest] {
            let again = ApiKeySecret::parse(secret.expose()).unwrap();
            assert_eq!(again.hash(), secret.hash());
        }
    }

    fn key(seed: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[seed; 32])
    }

    /// W7: nobody can make up a secret that has a budget of its own.
    #[test]
    fn a_secret_that_we_made_is_told_from_a_made_up_one() {
        let marks = Marks::new(key(1), Vec::new());
        let secret = ApiKeySecret::from_chance(&[7; CHANCE_BYTES], &marks);
        assert!(marks.are_on(&secret));
        let renewed = Marks::new(key(2), vec![key(1)]);
        assert!(renewed.are_on(&secret), "the master key was replaced");
        assert!(!Marks::new(key(2), Vec::new()).are_on(&secret));
        for made_up in [[0; BODY_BYTES], [7; BODY_BYTES], [255; BODY_BYTES]] {
            assert!(!marks.are_on(&ApiKeySecret::from_bits(&made_up)));
        }
    }

    #[test]
    fn each_digit_stands_for_its_place() {
        for (place, digit) in DIGITS.iter().enumerate() {
            assert_eq!(digit_value(*digit).map(usize::from), Some(place));
        }
        assert_eq!((0..=u8::MAX).filter_map(digit_value).count(), DIGITS.len());
    }

    #[test]
    fn the_bits_of_a_secret_read_back() {
        let rising = std::array::from_fn(|at| u8::try_from(at).unwrap() * 7);
        for bits in [[0; BODY_BYTES], [1; BODY_BYTES], [255; BODY_BYTES], rising] {
            assert_eq!(
                ApiKeySecret::from_bits(&bits).bits().unwrap().as_slice(),
                bits
            );
        }
        let beyond = format!("{PREFIX}{}", "z".repeat(BODY_CHARS + CHECKSUM_CHARS));
        assert!(ApiKeySecret(Zeroizing::new(beyond)).bits().is_none());
    }

    #[test]
    fn every_single_wrong_character_is_noticed_without_a_look_up() {
        let secret = ApiKeySecret::from_bits(&[7; 32]);
        let text = secret.expose();
        for index in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'a' { b'b' } else { b'a' };
            let wrong = String::from_utf8(bytes).unwrap();
            assert!(ApiKeySecret::parse(&wrong).is_none(), "{wrong}");
        }
        for wrong in [
            "",
            PREFIX,
            text.trim_start_matches('p'),
            &format!("{text}0"),
            &text.replace("plinto", "Plinto"),
        ] {
            assert!(ApiKeySecret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_never_prints_itself() {
        let secret = ApiKeySecret::from_bits(&[9; 32]);
        assert_eq!(format!("{secret:?}"), "ApiKeySecret(…)");
        assert!(secret.expose().ends_with(&secret.last_four()));
        assert_eq!(secret.last_four().len(), 4);
    }
}
