//! Where clients reach us, checked once.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

const DEFAULT: &str = "http://127.0.0.1:7400";

/// An http(s) URL without query, fragment, user or a slash at its end, kept letter for letter: what
/// a URL parser would repair (case, `:443`, a backslash, a tab) is refused, since issuers begin with
/// it and are compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// As issuers begin with it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether clients come over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl Default for PublicUrl {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = "must be an http(s) URL without user, query and fragment";
        let url: Url = text.parse().map_err(|_| wrong)?;
        if !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(wrong.to_owned());
        }
        let written = url.as_str().trim_end_matches('/');
        if text != written {
            return Err(format!("must be written `{written}`"));
        }
        Ok(Self(written.to_owned()))
    }
}

impl<'de> Deserialize<'de> for PublicUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_reads_like_any_other() {
        assert_eq!(DEFAULT.parse(), Ok(PublicUrl::default()));
    }

    #[test]
    fn only_an_address_that_issuers_can_begin_with_is_taken() {
        for text in ["https://id.example.com", "http://10.0.0.1:8080/auth"] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), text);
        }
        for (text, written) in [
            ("https://ID.example.com", "https://id.example.com"),
            ("https://id.example.com/", "https://id.example.com"),
            ("http://10.0.0.1:80/auth/", "http://10.0.0.1/auth"),
            ("https:\\\\id.example.com", "https://id.example.com"),
            ("https://id.exam\tple.com", "https://id.example.com"),
            (" https://id.example.com", "https://id.example.com"),
            ("https://id.ex%61mple.com", "https://id.example.com"),
            ("https://id.example.com/a/../b", "https://id.example.com/b"),
            ("http://0x7f.1", "http://127.0.0.1"),
        ] {
            let error = text.parse::<PublicUrl>().unwrap_err();
            assert_eq!(error, format!("must be written `{written}`"));
        }
        for text in [
            "",
            "id.example.com",
            "ftp://x",
            "https://x?y",
            "https://x#y",
            "https://me:secret@x",
        ] {
            let error = text.parse::<PublicUrl>().unwrap_err();
            assert!(error.contains("http(s) URL"), "{error}");
        }
    }
}
