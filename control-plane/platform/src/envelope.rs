//! Secrets at rest: each value under its own data key, the data key under the master key.
//!
//! What a value belongs to is authenticated with it (statement W10): a ciphertext copied to another
//! row, column, table or tenant does not open. A sealed value reads
//! `v1.<master key id>.<wrapped data key>.<ciphertext>`; replacing the master key means wrapping
//! the data keys anew, and until then the previous master keys still open.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hmac,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_contract::ids::TenantId;
use zeroize::Zeroizing;

use crate::{random::Random, secret::Secret};

const VERSION: &str = "v1";
const KEY_LEN: usize = 32;

/// What a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Whose.
    pub tenant: TenantId,
    /// Which table.
    pub table: &'static str,
    /// Which row.
    pub row: &'a str,
    /// Which column.
    pub column: &'static str,
}

impl Place<'_> {
    fn bytes(&self, key_id: &str) -> Vec<u8> {
        // U+001F cannot stand in an id, a table name or a column name, so no two places read alike.
        [
            VERSION,
            key_id,
            &self.tenant.to_string(),
            self.table,
            self.row,
            self.column,
        ]
        .join("\u{1f}")
        .into_bytes()
    }
}

/// Why a value was not sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The master key is not 32 bytes of base64url.
    #[error("the master key must be 32 bytes in base64url without padding")]
    BadMasterKey,
    /// The value was sealed under a master key that is not configured.
    #[error("the value was sealed under master key `{0}`, which is not configured")]
    UnknownKey(String),
    /// The value was altered, moved, or never sealed.
    #[error("the sealed value does not open here")]
    DoesNotOpen,
}

/// Seals and opens values under the master key.
#[derive(Debug)]
pub struct Envelope {
    current: MasterKey,
    previous: Vec<MasterKey>,
}

struct MasterKey {
    id: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MasterKey({})", self.id)
    }
}

impl MasterKey {
    fn parse(text: &Secret) -> Result<Self, EnvelopeError> {
        let bytes = Base64UrlUnpadded::decode_vec(text.expose().trim())
            .map(Zeroizing::new)
            .map_err(|_| EnvelopeError::BadMasterKey)?;
        if bytes.len() != KEY_LEN {
            return Err(EnvelopeError::BadMasterKey);
        }
        // The id is a digest under another name than any other use of the key.
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), b"master key id");
        let id = hex::encode(tag.as_ref().get(..4).unwrap_or_default());
        Ok(Self { id, bytes })
    }
}

impl Envelope {
    /// `current` seals; `previous` still open.
    pub fn new(current: &Secret, previous: &[Secret]) -> Result<Self, EnvelopeError> {
        Ok(Self {
            current: MasterKey::parse(current)?,
            previous: previous
                .iter()
                .map(MasterKey::parse)
                .collect::<Result<_, _>>()?,
        })
    }

    /// A fresh master key, as it stands in a key file.
    pub fn generate_key(random: &dyn Random) -> Secret {
        random.token()
    }

    /// Seals a value for its place.
    pub fn seal(
        &self,
        random: &dyn Random,
        place: &Place<'_>,
        plaintext: &[u8],
    ) -> Result<String, EnvelopeError> {
        let context = place.bytes(&self.current.id);
        let mut data_key = Zeroizing::new([0_u8; KEY_LEN]);
        random.fill(data_key.as_mut_slice());
        let wrapped = encrypt(random, &self.current.bytes, &context, data_key.as_slice())?;
        let sealed = encrypt(random, data_key.as_slice(), &context, plaintext)?;
        Ok(format!("{VERSION}.{}.{wrapped}.{sealed}", self.current.id))
    }

    /// Opens a value in its place.
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let mut parts = sealed.split('.');
        let (Some(VERSION), Some(id), Some(wrapped), Some(value), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(EnvelopeError::DoesNotOpen);
        };
        let key = std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.id == id)
            .ok_or_else(|| EnvelopeError::UnknownKey(id.to_owned()))?;
        let context = place.bytes(id);
        let data_key = decrypt(&key.bytes, &context, wrapped)?;
        decrypt(&data_key, &context, value)
    }

    /// A key for another purpose, derived from the master key; `purpose` keeps them apart.
    pub fn derive(&self, purpose: &str) -> hmac::Key {
        derive(&self.current, purpose)
    }

    /// The same from each previous master key.
    pub fn derive_previous(&self, purpose: &str) -> Vec<hmac::Key> {
        let previous = self.previous.iter();
        previous.map(|key| derive(key, purpose)).collect()
    }
}

fn derive(master: &MasterKey, purpose: &str) -> hmac::Key {
    let parent = hmac::Key::new(hmac::HMAC_SHA256, &master.bytes);
    let tag = hmac::sign(&parent, format!("derive {purpose}").as_bytes());
    hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref())
}

fn cipher(key: &[u8]) -> Result<LessSafeKey, EnvelopeError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| EnvelopeError::DoesNotOpen)
}

fn encrypt(
    random: &dyn Random,
    key: &[u8],
    context: &[u8],
    plaintext: &[u8],
) -> Result<String, EnvelopeError> {
    let mut nonce = [0_u8; NONCE_LEN];
    random.fill(&mut nonce);
    let mut buffer = Zeroizing::new(plaintext.to_vec());
    let tag = cipher(key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            buffer.as_mut_slice(),
        )
        .map_err(|_| EnvelopeError::DoesNotOpen)?;
    let mut out = nonce.to_vec();
    out.extend_from_slice(&buffer);
    out.extend_from_slice(tag.as_ref());
    Ok(Base64UrlUnpadded::encode_string(&out))
}

fn decrypt(key: &[u8], context: &[u8], text: &str) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| EnvelopeError::DoesNotOpen)?;
    let (nonce, body) = bytes
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(EnvelopeError::DoesNotOpen)?;
    let mut body = Zeroizing::new(body.to_vec());
    let length = cipher(key)?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(context),
            body.as_mut_slice(),
        )
        .map_err(|_| EnvelopeError::DoesNotOpen)?
        .len();
    body.truncate(length);
    Ok(body)
}

/// SHA-256 of a value as lower-case hex: how tokens are stored (statement S1).
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes.as_ref()))
}

#[cfg(test)]
mod tests {
    use plinto_contract::time::UnixMillis;

    use super::*;
    use crate::random::SeededRandom;

    fn key(seed: u64) -> Secret {
        Envelope::generate_key(&SeededRandom::new(seed))
    }

    fn tenant(seed: u64) -> TenantId {
        let random: &dyn Random = &SeededRandom::new(seed);
        random.id(UnixMillis(0))
    }

    fn place(row: &str) -> Place<'_> {
        Place {
            tenant: tenant(1),
            table: "signing_keys",
            row,
            column: "private_sealed",
        }
    }

    /// W10: a ciphertext opens in its own place only.
    #[test]
    fn a_ciphertext_moved_elsewhere_does_not_open() {
        let envelope = Envelope::new(&key(1), &[]).unwrap();
        let random = SeededRandom::new(2);
        let sealed = envelope.seal(&random, &place("a"), b"private").unwrap();
        assert_eq!(
            envelope.open(&place("a"), &sealed).unwrap().as_slice(),
            b"private"
        );
        let elsewhere = [
            place("b"),
            Place {
                tenant: tenant(2),
                ..place("a")
            },
            Place {
                table: "idempotency_keys",
                ..place("a")
            },
            Place {
                column: "public_jwk",
                ..place("a")
            },
        ];
        for other in elsewhere {
            assert_eq!(
                envelope.open(&other, &sealed),
                Err(EnvelopeError::DoesNotOpen)
            );
        }
    }

    #[test]
    fn any_altered_character_is_noticed() {
        let envelope = Envelope::new(&key(1), &[]).unwrap();
        let sealed = envelope
            .seal(&SeededRandom::new(2), &place("a"), b"private")
            .unwrap();
        for at in 0..sealed.len() {
            let mut altered: Vec<char> = sealed.chars().collect();
            altered[at] = if altered[at] == 'A' { 'B' } else { 'A' };
            let altered: String = altered.into_iter().collect();
            assert!(
                envelope.open(&place("a"), &altered).is_err(),
                "character {at}"
            );
        }
    }

    /// W10: the master key can be replaced while the old values are still about.
    #[test]
    fn values_of_the_previous_master_key_still_open() {
        let old = Envelope::new(&key(1), &[]).unwrap();
        let sealed = old
            .seal(&SeededRandom::new(2), &place("a"), b"private")
            .unwrap();
        let new = Envelope::new(&key(3), &[key(1)]).unwrap();
        assert_eq!(
            new.open(&place("a"), &sealed).unwrap().as_slice(),
            b"private"
        );
        let without = Envelope::new(&key(3), &[]).unwrap();
        assert!(matches!(
            without.open(&place("a"), &sealed),
            Err(EnvelopeError::UnknownKey(_))
        ));
    }

    #[test]
    fn a_master_key_of_another_length_is_refused() {
        assert!(Envelope::new(&Secret::new("c2hvcnQ"), &[]).is_err());
        assert!(Envelope::new(&Secret::new("not base64!"), &[]).is_err());
    }
}
