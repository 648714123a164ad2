//! base64url without padding, in its one canonical spelling.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::Error;

/// Decodes; padding, other alphabets and non-zero trailing bits are refused.
/// Source: RFC 7515 §2, RFC 4648 §3.5 and §5.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Error> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| Error::Base64)
}

/// Encodes without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
