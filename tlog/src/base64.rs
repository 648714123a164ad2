//! base64 with padding, in its one canonical spelling.

use base64ct::{Base64, Encoding};

use crate::Error;

/// Decodes; missing padding, other alphabets, line breaks and non-zero trailing bits are refused.
/// Source: RFC 4648 §3.5 and §4.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Error> {
    Base64::decode_vec(text).map_err(|_| Error::Base64)
}

/// Encodes with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}
