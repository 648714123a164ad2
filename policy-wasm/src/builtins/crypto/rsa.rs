//! RSA: PKCS #1 v1.5 and PSS signatures, checked and made. Source: RFC 8017; limits as Go's,
//! `crypto/rsa`.

use crypto_bigint::{
    BoxedUint, ConcatenatingMul, NonZero, Odd, Resize,
    modular::{BoxedMontyForm, BoxedMontyParams},
};

use super::hash::{Hash, is_same};

/// 1024: what a key must have at least.
const LEAST_BITS: u32 = 1024;

/// A public key, its numbers big-endian without zeros before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::builtins) struct PublicKey {
    pub(in crate::builtins) n: Vec<u8>,
    pub(in crate::builtins) e: u64,
}

/// A private key of two primes.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::builtins) struct PrivateKey {
    pub(in crate::builtins) public: PublicKey,
    pub(in crate::builtins) d: Vec<u8>,
    pub(in crate::builtins) p: Vec<u8>,
    pub(in crate::builtins) q: Vec<u8>,
    pub(in crate::builtins) dp: Vec<u8>,
    pub(in crate::builtins) dq: Vec<u8>,
    pub(in crate::builtins) qinv: Vec<u8>,
}

/// How the digest is padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) enum Scheme {
    Pkcs1,
    /// With as much salt as there is, or with as many bytes as the digest has.
    Pss {
        any_salt: bool,
    },
}

fn number(bytes: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(bytes)
}

impl PublicKey {
    /// Bits of the modulus.
    pub(in crate::builtins) fn bits(&self) -> u32 {
        bit_length(&self.n)
    }

    /// The modulus, of a key that Go would use.
    fn modulus(&self) -> Option<Odd<BoxedUint>> {
        let is_exponent = self.e > 1 && self.e % 2 == 1 && self.e <= 0x7fff_ffff;
        if self.bits() < LEAST_BITS || !is_exponent {
            return None;
        }
        number(&self.n).into_odd().into_option()
    }

    /// `message ^ e mod n`, as long as the modulus. `None`: the message is not below it.
    fn apply(&self, message: &[u8]) -> Option<Vec<u8>> {
        let modulus = self.modulus()?;
        let message = number(message).try_resize(modulus.bits_precision())?;
        if message >= *modulus.as_ref() {
            return None;
        }
        let params = BoxedMontyParams::new_vartime(modulus);
        let exponent = BoxedUint::from(self.e);
        let width = exponent.bit_width_vartime();
        let result = BoxedMontyForm::new(message, &params).pow_bounded_exp(&exponent, width);
        Some(fill(&result.retrieve(), self.n.len()))
    }

    /// Whether the signature is one of the digest.
    pub(in crate::builtins) fn verifies(
        &self,
        scheme: Scheme,
        hash: Hash,
        digest: &[u8],
        signature: &[u8],
    ) -> bool {
        if signature.len() != self.n.len() {
            return false;
        }
        let Some(encoded) = self.apply(signature) else {
            return false;
        };
        match scheme {
            Scheme::Pkcs1 => {
                encode_pkcs1(hash, digest, self.n.len()).is_some_and(|wanted| wanted == encoded)
            }
            Scheme::Pss { any_salt } => is_pss(
                &encoded,
                self.bits().saturating_sub(1),
                hash,
                digest,
                any_salt,
            )
            .unwrap_or(false),
        }
    }
}

impl PrivateKey {
    /// Whether the numbers belong together. Source: Go, `PrivateKey.Validate`.
    pub(in crate::builtins) fn is_consistent(&self) -> bool {
        self.check().is_some()
    }

    fn check(&self) -> Option<()> {
        if !number(&self.p)
            .concatenating_mul(&number(&self.q))
            .eq(&number(&self.public.n))
        {
            return None;
        }
        let is_exponent = self.public.e > 1 && self.public.e % 2 == 1;
        for (prime, exponent) in [(&self.p, &self.dp), (&self.q, &self.dq)] {
            let before = number(prime).wrapping_sub(BoxedUint::one());
            let before = before.into_nz().into_option()?;
            let exponent = number(exponent);
            let product = exponent.concatenating_mul(&BoxedUint::from(self.public.e));
            let is_inverse = product.rem(&before) == BoxedUint::one();
            if !is_inverse || number(&self.d).rem(&before) != exponent {
                return None;
            }
        }
        let p: NonZero<BoxedUint> = number(&self.p).into_nz().into_option()?;
        let product = number(&self.qinv).concatenating_mul(&number(&self.q));
        (is_exponent && product.rem(&p) == BoxedUint::one()).then_some(())
    }

    /// The key of `d` and the primes, its other numbers computed. `None`: they don't belong
    /// together.
    pub(in crate::builtins) fn of_primes(
        public: PublicKey,
        d: Vec<u8>,
        p: Vec<u8>,
        q: Vec<u8>,
    ) -> Option<Self> {
        let exponent = |prime: &[u8]| {
            let before = number(prime)
                .wrapping_sub(BoxedUint::one())
                .into_nz()
                .into_option()?;
            Some(
                number(&d)
                    .rem(&before)
                    .to_be_bytes_trimmed_vartime()
                    .into_vec(),
            )
        };
        let (dp, dq) = (exponent(&p)?, exponent(&q)?);
        let modulus = number(&p).into_odd().into_option()?;
        let inverse = number(&q).rem(modulus.as_nz_ref()).invert_odd_mod(&modulus);
        let qinv = inverse
            .into_option()?
            .to_be_bytes_trimmed_vartime()
            .into_vec();
        let key = Self {
            public,
            d,
            p,
            q,
            dp,
            dq,
            qinv,
        };
        key.is_consistent().then_some(key)
    }

    /// Signs a digest. `salt`: for PSS. `None`: the key can't be used.
    pub(in crate::builtins) fn sign(
        &self,
        scheme: Scheme,
        hash: Hash,
        digest: &[u8],
        salt: &[u8],
    ) -> Option<Vec<u8>> {
        self.public.modulus()?;
        let length = self.public.n.len();
        let encoded = match scheme {
            Scheme::Pkcs1 => encode_pkcs1(hash, digest, length)?,
            Scheme::Pss { .. } => {
                let bits = self.public.bits().saturating_sub(1);
                encode_pss(hash, digest, salt, bits, length)?
            }
        };
        let signature = self.apply(&encoded)?;
        // A fault in one half would give the primes away.
        let is_right = self.public.apply(&signature)? == encoded;
        is_right.then_some(signature)
    }

    /// `message ^ d mod n`, by the primes, in a time that tells nothing of them but their lengths.
    fn apply(&self, message: &[u8]) -> Option<Vec<u8>> {
        let message = number(message);
        let (p, q) = (number(&self.p), number(&self.q));
        let params_p = BoxedMontyParams::new(p.into_odd().into_option()?);
        let params_q = BoxedMontyParams::new(q.clone().into_odd().into_option()?);
        let power = |params: &BoxedMontyParams, exponent: &[u8]| {
            let base = message.rem(params.modulus().as_nz_ref());
            let exponent = number(exponent);
            BoxedMontyForm::new(base, params).pow(&exponent)
        };
        let of_p = power(&params_p, &self.dp);
        let of_q = power(&params_q, &self.dq).retrieve();
        let prime = params_p.modulus().as_nz_ref();
        let difference = of_p.sub(&BoxedMontyForm::new(of_q.rem(prime), &params_p));
        let inverse = number(&self.qinv).rem(prime);
        let quotient = difference
            .mul(&BoxedMontyForm::new(inverse, &params_p))
            .retrieve();
        let product = quotient.concatenating_mul(&q);
        let precision = product.bits_precision();
        let sum = product.wrapping_add(&of_q.try_resize(precision)?);
        Some(fill(&sum, self.public.n.len()))
    }
}

/// Bits from the first one that is set.
pub(in crate::builtins) fn bit_length(bytes: &[u8]) -> u32 {
    let Some(start) = bytes.iter().position(|byte| *byte != 0) else {
        return 0;
    };
    let rest = bytes.get(start..).unwrap_or_default();
    let zeros = rest.first().map_or(0, |byte| byte.leading_zeros());
    let bytes = u32::try_from(rest.len()).unwrap_or(u32::MAX);
    bytes.saturating_mul(8).saturating_sub(zeros)
}

/// The number in as many bytes.
fn fill(number: &BoxedUint, length: usize) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let mut out = vec![0; length.saturating_sub(bytes.len())];
    let skipped = bytes.len().saturating_sub(length);
    out.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
    out
}

/// The start of the `DigestInfo` of a digest. Source: RFC 8017 §9.2, note 1.
const fn digest_info(hash: Hash) -> Option<&'static [u8]> {
    match hash {
        Hash::Sha256 => Some(&[
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01, 0x05, 0x00, 0x04, 0x20,
        ]),
        Hash::Sha384 => Some(&[
            0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x02, 0x05, 0x00, 0x04, 0x30,
        ]),
        Hash::Sha512 => Some(&[
            0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x03, 0x05, 0x00, 0x04, 0x40,
        ]),
        Hash::Md5 | Hash::Sha1 => None,
    }
}

/// Source: RFC 8017 §9.2.
fn encode_pkcs1(hash: Hash, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    let info = digest_info(hash)?;
    let needed = info.len().checked_add(digest.len())?.checked_add(3)?;
    let filling = length.checked_sub(needed).filter(|filling| *filling >= 8)?;
    let mut encoded = vec![0, 1];
    encoded.resize(filling.checked_add(2)?, 0xff);
    encoded.push(0);
    encoded.extend_from_slice(info);
    encoded.extend_from_slice(digest);
    Some(encoded)
}

/// Covers `data` with what MGF1 makes of a seed. Source: RFC 8017 §B.2.1.
fn mask(hash: Hash, seed: &[u8], data: &mut [u8]) {
    for (counter, chunk) in (0_u32..).zip(data.chunks_mut(hash.size())) {
        let block = hash.digest(&[seed, &counter.to_be_bytes()]);
        for (byte, cover) in chunk.iter_mut().zip(block) {
            *byte ^= cover;
        }
    }
}

/// The bits of the first byte that a message of so many bits may use.
const fn first_bits(bits: u32) -> u8 {
    match bits % 8 {
        0 => 0xff,
        used => 0xff_u8.wrapping_shr(8_u32.wrapping_sub(used)),
    }
}

/// Source: RFC 8017 §9.1.1.
fn encode_pss(hash: Hash, digest: &[u8], salt: &[u8], bits: u32, length: usize) -> Option<Vec<u8>> {
    let size = usize::try_from(bits.div_ceil(8)).ok()?;
    let data_size = size.checked_sub(hash.size())?.checked_sub(1)?;
    let filling = data_size.checked_sub(salt.len())?.checked_sub(1)?;
    let digest = hash.digest(&[&[0; 8], digest, salt]);
    let mut data = vec![0; filling];
    data.push(1);
    data.extend_from_slice(salt);
    mask(hash, &digest, &mut data);
    if let Some(first) = data.first_mut() {
        *first &= first_bits(bits);
    }
    // A modulus of 8n + 1 bits has a byte more.
    let mut encoded = vec![0; length.checked_sub(size)?];
    encoded.extend(data);
    encoded.extend(digest);
    encoded.push(0xbc);
    Some(encoded)
}

/// Source: RFC 8017 §9.1.2.
fn is_pss(encoded: &[u8], bits: u32, hash: Hash, digest: &[u8], any_salt: bool) -> Option<bool> {
    let size = usize::try_from(bits.div_ceil(8)).ok()?;
    let (before, encoded) = encoded.split_at_checked(encoded.len().checked_sub(size)?)?;
    let (data, rest) = encoded.split_at_checked(size.checked_sub(hash.size())?.checked_sub(1)?)?;
    let (wanted, end) = rest.split_at_checked(hash.size())?;
    let first = data.first()?;
    if before.iter().any(|byte| *byte != 0) || end != [0xbc] || first & !first_bits(bits) != 0 {
        return Some(false);
    }
    let mut data = data.to_vec();
    mask(hash, wanted, &mut data);
    if let Some(first) = data.first_mut() {
        *first &= first_bits(bits);
    }
    let start = data.iter().position(|byte| *byte != 0)?;
    let (one, salt) = data.get(start..)?.split_first()?;
    let is_salt = any_salt || salt.len() == hash.size();
    let found = hash.digest(&[&[0; 8], digest, salt]);
    Some(*one == 1 && is_salt && is_same(&found, wanted))
}
