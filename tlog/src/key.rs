//! Ed25519 keys with a name, as notes know them.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer};
use sha2::{Digest, Sha256};

use crate::{Error, base64};

/// Ed25519 among the types of signatures.
/// Source: C2SP signed-note, "Signature types".
const ED25519: u8 = 0x01;
/// Digits of a key id as text.
const ID_DIGITS: usize = 8;

/// A public key with its name. As text `name+id+base64(0x01 || key)`, with an id of eight lower-case
/// hexadecimal digits: what a verifier is configured with.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// `name`: better a URL without its scheme, as `log.example/acme`.
    /// `public`: as RFC 8032 §5.1.5 encodes it.
    /// Errors: `KeyName`; `Key` when it is no point of the curve, or one of a small order.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, Error> {
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| Error::Key)?;
        if key.is_weak() {
            return Err(Error::Key);
        }
        Ok(Self {
            name: name.to_owned(),
            id: id(name, public),
            key,
        })
    }

    /// The name in its signatures.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the hash of name, type and key: tells keys of one name apart.
    /// Source: C2SP signed-note, "Signatures".
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The key as RFC 8032 §5.1.5 encodes it.
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Errors: `Signature`, also when it has other than 64 bytes.
    pub(crate) fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature = Signature::from_slice(signature).map_err(|_| Error::Signature)?;
        let verified = self.key.verify_strict(text, &signature);
        verified.map_err(|_| Error::Signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![ED25519];
        typed.extend_from_slice(self.public());
        let (name, id) = (&self.name, self.id);
        write!(f, "{name}+{id:08x}+{}", base64::encode(&typed))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    /// Errors: `Key`, `KeyName`, `KeyType`, `KeyId`, `Base64`.
    fn from_str(text: &str) -> Result<Self, Error> {
        // base64 may have a plus in it, a name and an id can't
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(Error::Key);
        let (name, id, key) = (part()?, part()?, part()?);
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if id.len() != ID_DIGITS || !id.bytes().all(is_digit) {
            return Err(Error::Key);
        }
        let typed = base64::decode(key)?;
        let (kind, public) = typed.split_first().ok_or(Error::Key)?;
        if *kind != ED25519 {
            return Err(Error::KeyType);
        }
        let key = Self::new(name, public.try_into().map_err(|_| Error::Key)?)?;
        if u32::from_str_radix(id, 16) != Ok(key.id) {
            return Err(Error::KeyId);
        }
        Ok(key)
    }
}

/// A private key with its name. Does not print, and is wiped from memory when dropped.
#[derive(Clone)]
pub struct SigningKey {
    pair: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

impl SigningKey {
    /// `name`: as in [`VerifierKey::new`]. `seed`: the private key of RFC 8032 §5.1.5, 32 random bytes.
    /// Errors: `KeyName`.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        let pair = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, pair.verifying_key().as_bytes())?;
        Ok(Self { pair, verifier })
    }

    /// The public half.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The line of a note that signs `text`.
    /// Source: C2SP signed-note, "Signatures".
    pub(crate) fn line(&self, text: &str) -> String {
        let mut bytes = self.verifier.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.pair.sign(text.as_bytes()).to_bytes());
        format!("— {} {}\n", self.verifier.name, base64::encode(&bytes))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

/// Errors: `KeyName` when it is empty or has a space of Unicode, a plus or an ASCII control character.
/// Source: C2SP signed-note, "Format".
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let is_bad = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    if name.is_empty() || name.contains(is_bad) {
        return Err(Error::KeyName);
    }
    Ok(())
}

/// Source: C2SP signed-note, "Ed25519 signatures".
fn id(name: &str, public: &[u8; 32]) -> u32 {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(public);
    let [a, b, c, d, ..]: [u8; 32] = digest.finalize().into();
    u32::from_be_bytes([a, b, c, d])
}
