//! Every reason to refuse a token, a key or a key set.

/// Why a token, a key or a key set was refused. Never carries input, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Longer than its kind may be.
    #[error("input is too large")]
    TooLarge,
    /// Not three non-empty base64url parts in their canonical spelling.
    #[error("not a compact JWS")]
    Malformed,
    /// Five parts: a JWE, which no verifier here accepts.
    #[error("encrypted tokens are not accepted")]
    Encrypted,
    /// Not base64url without padding, or with stray trailing bits.
    #[error("not canonical base64url")]
    Base64,
    /// Not JSON (RFC 8259), or not an object where one is needed.
    #[error("not a JSON object")]
    Json,
    /// Two members of one object share a name.
    #[error("a JSON member name occurs twice")]
    DuplicateMember,
    /// Arrays and objects nest too deeply.
    #[error("JSON nests too deeply")]
    TooDeep,
    /// More members than a document of its kind may have.
    #[error("JSON has too many members")]
    TooManyMembers,
    /// A header parameter is missing or has the wrong type.
    #[error("a header parameter is missing or malformed")]
    Header,
    /// `crit`, `b64`, `zip`, `jku`, `x5u`, `x5c` or `jwk` in the header.
    #[error("the header holds a parameter that is never accepted")]
    HeaderParameter,
    /// The algorithm is unknown, not on the allow-list or not the key's.
    #[error("the algorithm is not allowed")]
    Algorithm,
    /// `typ` is not the one expected for this kind of token.
    #[error("the token is of another kind")]
    Type,
    /// `kid` is not 1 to 64 of `A-Z a-z 0-9 . _ ~ -`.
    #[error("the key id is malformed")]
    KeyId,
    /// No key, or more than one, answers to the header.
    #[error("no key for this token")]
    UnknownKey,
    /// A key lacks a member, or a value is out of range.
    #[error("the key is malformed")]
    Key,
    /// A key of a type, curve, algorithm or use that is not supported.
    #[error("the key is not supported")]
    UnsupportedKey,
    /// RSA below 2048 bits, with a small exponent or of the ROCA kind; a low-order Ed25519 point.
    #[error("the key is too weak")]
    WeakKey,
    /// A symmetric key where only public keys belong.
    #[error("symmetric keys are not accepted")]
    SymmetricKey,
    /// A private member where only public keys belong.
    #[error("private key material is not accepted")]
    PrivateKey,
    /// A key set with more than its share of keys.
    #[error("the key set holds too many keys")]
    TooManyKeys,
    /// The signature does not verify.
    #[error("the signature is not valid")]
    Signature,
    /// A claim is missing or has the wrong type.
    #[error("a claim is missing or malformed")]
    Claim,
    /// `iss` is not the issuer whose key was used.
    #[error("the token comes from another issuer")]
    Issuer,
    /// `aud` does not contain this service.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is still ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A key could not be made or used for signing.
    #[error("signing failed")]
    Signing,
}

impl Error {
    /// A stable name for programs; the message is for people.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "token_malformed",
            Self::Encrypted => "token_encrypted",
            Self::Base64 => "base64_invalid",
            Self::Json => "json_invalid",
            Self::DuplicateMember => "json_duplicate_member",
            Self::TooDeep => "json_too_deep",
            Self::TooManyMembers => "json_too_many_members",
            Self::Header => "header_invalid",
            Self::HeaderParameter => "header_parameter_not_allowed",
            Self::Algorithm => "alg_not_allowed",
            Self::Type => "typ_not_allowed",
            Self::KeyId => "kid_invalid",
            Self::UnknownKey => "key_unknown",
            Self::Key => "key_invalid",
            Self::UnsupportedKey => "key_unsupported",
            Self::WeakKey => "key_weak",
            Self::SymmetricKey => "key_symmetric",
            Self::PrivateKey => "key_private",
            Self::TooManyKeys => "jwks_too_many_keys",
            Self::Signature => "signature_invalid",
            Self::Claim => "claim_invalid",
            Self::Issuer => "issuer_mismatch",
            Self::Audience => "audience_mismatch",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Signing => "signing_failed",
        }
    }
}
