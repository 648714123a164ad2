//! Where clients reach us, checked once.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

const DEFAULT: &str = "http://127.0.0.1:7400";

/// An http(s) URL without query, fragment, user or a slash at its end.
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
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let wrong = "`public_url` must be an http(s) URL without user, query and fragment";
        let url: Url = text.parse().map_err(|_| wrong)?;
        if !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(wrong);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
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
        for (text, kept) in [
            ("https://ID.example.com/", "https://id.example.com"),
            ("http://10.0.0.1:80/auth/", "http://10.0.0.1/auth"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), kept);
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
            assert!(error.contains("public_url"), "{error}");
        }
    }
}
