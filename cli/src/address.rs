//! Where a control plane is, in the one spelling that its key is stored under.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

use crate::failure::Failure;

const SCHEMES: &str = "it must begin with `https://` or `http://`";

/// An http(s) URL that paths are appended to: scheme, host, port and perhaps a path, without a
/// slash at its end. Spellings of one address are equal; whatever else differs is another address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(Url);

impl Address {
    /// The URL of what stands at `path`, which begins with a slash.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// Whether nobody on the way can read what is sent: over TLS, or on this machine.
    pub(crate) fn is_private(&self) -> bool {
        !self.is_plain() || self.is_here()
    }

    /// Whether it is spoken to without TLS.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether it is this machine. Source: RFC 6761 §6.3 for `localhost`.
    fn is_here(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }
}

impl FromStr for Address {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            // SECURITY: what stands before an `@` may be a password.
            let shown = if text.contains('@') { "that" } else { text };
            Failure::Usage(format!("`{shown}` is not an address: {why}"))
        };
        let mut url = Url::parse(text).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => wrong(SCHEMES),
            error => wrong(&error.to_string()),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(SCHEMES));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must not name a user; the key is its own"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it must not have a query or a fragment"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn spellings_of_one_address_are_equal_and_other_addresses_are_not() {
        let one = address("https://cp.example/plinto");
        for same in [
            "https://cp.example/plinto/",
            "HTTPS://CP.example:443/plinto//",
            "https://cp.example/x/../plinto",
        ] {
            assert_eq!(address(same), one, "{same}");
        }
        for other in [
            "http://cp.example/plinto",
            "https://cp.example",
            "https://cp.example/Plinto",
            "https://cp.example/plinto/t",
            "https://cp.example:8443/plinto",
            "https://cp.example.evil.example/plinto",
        ] {
            assert_ne!(address(other), one, "{other}");
        }
        assert_eq!(one.to_string(), "https://cp.example/plinto");
        assert_eq!(
            address("http://[::1]:7400/").to_string(),
            "http://[::1]:7400"
        );
        assert_eq!(
            one.at("/v1/tenant").as_str(),
            "https://cp.example/plinto/v1/tenant"
        );
    }

    #[test]
    fn what_cannot_be_an_address_is_refused_without_showing_a_password() {
        for text in [
            "cp.example",
            "ftp://cp.example",
            "https://cp.example?a",
            "https://cp.example#a",
            "https://me:hush@cp.example",
            "https://me:hush@:x",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("is not an address"), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn only_tls_and_this_machine_are_private() {
        for text in [
            "https://cp.example",
            "http://127.0.0.1:7400",
            "http://127.9.9.9",
            "http://[::1]:7400",
            "http://localhost:7400",
            "http://cp.localhost",
        ] {
            assert!(address(text).is_private(), "{text}");
        }
        for text in [
            "http://cp.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            assert!(!address(text).is_private(), "{text}");
        }
    }
}
