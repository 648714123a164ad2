//! RFC 7638: a key's name, computed from nothing but the key.

use sha2::{Digest, Sha256};

use crate::base64url;
use crate::jwk::{Jwk, PublicKey};

impl Jwk {
    /// The SHA-256 thumbprint, base64url, 43 characters.
    /// Source: RFC 7638 §3, RFC 8037 §2.
    pub fn thumbprint(&self) -> String {
        // Members in lexicographic order, no white space; base64url needs no escaping.
        let canonical = match &self.key {
            PublicKey::Rsa { n, e } => format!(
                r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                base64url::encode(e),
                base64url::encode(n)
            ),
            PublicKey::Ec { crv, x, y } => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                crv.as_str(),
                base64url::encode(x),
                base64url::encode(y)
            ),
            PublicKey::Okp { crv, x } => format!(
                r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#,
                crv.as_str(),
                base64url::encode(x)
            ),
        };
        base64url::encode(&Sha256::digest(canonical))
    }
}
