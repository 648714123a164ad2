//! The Worker's variables, read once into what the rest works with. Wrong ones are named.

use std::net::Ipv4Addr;

use plinto_contract::{ids::TenantId, problem::PAGES};
use url::Url;

use crate::own::METADATA_PATH;

/// What the gate does once the revocation feed is older than its hard limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStale {
    /// Refuse with 503.
    Deny,
    /// Let pass and say so to the application, in `x-plinto-revocation-stale`.
    Allow,
}

/// Where requests that may pass go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// An origin, and perhaps a path that stands before the request's: no slash at the end.
    Url(String),
    /// The service binding of the same name.
    Binding,
}

/// Where the metadata of this API are found, as its audience says. Source: RFC 9728 §3.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What stands behind the well-known path; empty for most.
    pub path: String,
    /// The whole address.
    pub metadata_url: String,
}

/// Everything that is set from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `iss` of the tokens that are accepted, and where their keys are found.
    pub issuer: String,
    /// What `aud` must contain.
    pub audience: String,
    /// Where clients find this API's metadata, if its audience is an address.
    pub resource: Option<Resource>,
    /// The tenant whose policy and tokens are accepted.
    pub tenant: TenantId,
    /// Where requests that may pass go.
    pub upstream: Upstream,
    /// Where the edge's documents are found: no slash at the end.
    pub control_plane: String,
    /// Age of the revocation feed from which on a request waits for a newer one.
    pub revocation_max_age_ms: i64,
    /// Age of the revocation feed from which on it proves nothing.
    pub revocation_hard_limit_ms: i64,
    /// What happens then.
    pub on_stale: OnStale,
    /// Age of the policy from which on a request waits for the control plane to confirm it.
    pub policy_max_age_ms: i64,
}

/// One variable that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// What is wrong with it, without its value.
    pub detail: String,
}

/// Names of all variables, as `wrangler.toml` has them.
pub const NAMES: [&str; 9] = [
    "ISSUER",
    "AUDIENCE",
    "TENANT",
    "UPSTREAM",
    "CONTROL_PLANE",
    "REVOCATION_MAX_AGE_MS",
    "REVOCATION_HARD_LIMIT_S",
    "REVOCATION_ON_STALE",
    "BUNDLE_REFRESH_MS",
];

impl Config {
    /// Reads all variables.
    /// `variable`: the value of a name, if it is set; `has_binding`: whether a service is bound
    /// as `UPSTREAM`.
    /// Errors: every variable that is missing or wrong.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        has_binding: bool,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader {
            variable,
            faults: Vec::new(),
        };
        let issuer = reader.required("ISSUER", issuer);
        let audience = reader.required("AUDIENCE", |text| Ok(text.to_owned()));
        let tenant = reader.required("TENANT", |text| {
            text.parse::<TenantId>().map_err(|error| error.to_string())
        });
        let upstream = if has_binding {
            Some(Upstream::Binding)
        } else {
            reader.required("UPSTREAM", |text| base(text, false).map(Upstream::Url))
        };
        let control_plane = match reader.get("CONTROL_PLANE") {
            Some(text) => reader.checked("CONTROL_PLANE", base(&text, true)),
            None => issuer.clone(),
        };
        let max_age = reader.number("REVOCATION_MAX_AGE_MS", 1_000, 100..=60_000);
        let hard_limit = reader.number("REVOCATION_HARD_LIMIT_S", 60, 1..=3_600);
        if max_age > hard_limit.saturating_mul(1_000) {
            let detail = "must not be longer than REVOCATION_HARD_LIMIT_S";
            reader.fault("REVOCATION_MAX_AGE_MS", detail);
        }
        let policy_max_age = reader.number("BUNDLE_REFRESH_MS", 1_000, 100..=60_000);
        let on_stale = match reader.get("REVOCATION_ON_STALE").as_deref() {
            None | Some("deny") => OnStale::Deny,
            Some("allow") => OnStale::Allow,
            Some(_) => {
                reader.fault("REVOCATION_ON_STALE", "must be `deny` or `allow`");
                OnStale::Deny
            }
        };
        match (issuer, audience, tenant, upstream, control_plane) {
            (Some(issuer), Some(audience), Some(tenant), Some(upstream), Some(control_plane))
                if reader.faults.is_empty() =>
            {
                Ok(Self {
                    issuer,
                    resource: resource(&audience),
                    audience,
                    tenant,
                    upstream,
                    control_plane,
                    revocation_max_age_ms: max_age,
                    revocation_hard_limit_ms: hard_limit.saturating_mul(1_000),
                    on_stale,
                    policy_max_age_ms: policy_max_age,
                })
            }
            _ => Err(reader.faults),
        }
    }
}

impl Config {
    /// Where problem codes are explained: on the control plane, whose issuers are
    /// `{public URL}/t/{slug}`.
    pub fn problem_pages(&self) -> String {
        let public_url = match self.issuer.rsplit_once("/t/") {
            Some((public_url, _)) => public_url,
            None => &self.issuer,
        };
        format!("{public_url}{PAGES}")
    }

    /// The variables that name this very machine: right beside a control plane in development, and
    /// of no use to a deployed Worker.
    pub fn on_loopback(&self) -> Vec<&'static str> {
        let upstream = match &self.upstream {
            Upstream::Url(url) => url.as_str(),
            Upstream::Binding => "",
        };
        let addresses = [
            ("ISSUER", self.issuer.as_str()),
            ("CONTROL_PLANE", &self.control_plane),
            ("UPSTREAM", upstream),
        ];
        let is_local = |address: &str| {
            let authority = address.split('/').nth(2);
            authority.is_some_and(is_loopback)
        };
        let named = addresses
            .into_iter()
            .filter(|(_, address)| is_local(address));
        named.map(|(name, _)| name).collect()
    }
}

/// Whether a host, with its port or without, is this machine.
pub fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
}

struct Reader<F> {
    variable: F,
    faults: Vec<Fault>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// An empty variable counts as unset: `wrangler.toml` can't leave one out.
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|text| !text.is_empty())
    }

    fn fault(&mut self, name: &'static str, detail: impl Into<String>) {
        self.faults.push(Fault {
            name,
            detail: detail.into(),
        });
    }

    fn checked<T>(&mut self, name: &'static str, result: Result<T, String>) -> Option<T> {
        result.map_err(|detail| self.fault(name, detail)).ok()
    }

    fn required<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Some(text) = self.get(name) else {
            self.fault(name, "is not set");
            return None;
        };
        self.checked(name, read(&text))
    }

    fn number(
        &mut self,
        name: &'static str,
        default: i64,
        range: std::ops::RangeInclusive<i64>,
    ) -> i64 {
        let Some(text) = self.get(name) else {
            return default;
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let detail = format!(
                    "must be a whole number from {} to {}",
                    range.start(),
                    range.end()
                );
                self.fault(name, detail);
                default
            }
        }
    }
}

/// The issuer is compared byte for byte with `iss`, so it is kept as written.
fn issuer(text: &str) -> Result<String, String> {
    let base = base(text, true)?;
    if base == text {
        Ok(base)
    } else {
        Err("must not end with a slash".to_owned())
    }
}

/// Other audiences than addresses name no place to look at.
fn resource(audience: &str) -> Option<Resource> {
    let url = Url::parse(audience).ok()?;
    let is_address = matches!(url.scheme(), "https" | "http")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    let path = url.path().trim_end_matches('/').to_owned();
    let origin = url.origin().ascii_serialization();
    is_address.then(|| Resource {
        metadata_url: format!("{origin}{METADATA_PATH}{path}"),
        path,
    })
}

/// An absolute URL without query and fragment, and without a slash at the end.
/// `signed_over`: whether keys come from it, so that it must be https or this very machine (T14).
fn base(text: &str, keys_come_from_it: bool) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    let is_loopback = url.host_str().is_some_and(is_loopback);
    match url.scheme() {
        "https" => {}
        "http" if is_loopback || !keys_come_from_it => {}
        "http" => return Err("must be https, except on this machine".to_owned()),
        _ => return Err("must be an https URL".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold credentials".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or fragment".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Config, Vec<Fault>> {
        let mut variables = BTreeMap::from([
            ("ISSUER", "https://id.example.com/t/demo"),
            ("AUDIENCE", "https://api.example.com"),
            ("TENANT", "tenant_01jc0m5v7mec4t3x2n6q8r9s0v"),
            ("UPSTREAM", "http://10.0.0.7:8080/"),
        ]);
        variables.extend(changes.iter().copied());
        Config::read(
            |name| variables.get(name).map(|text| (*text).to_owned()),
            false,
        )
    }

    fn names(result: Result<Config, Vec<Fault>>) -> Vec<&'static str> {
        result
            .unwrap_err()
            .into_iter()
            .map(|fault| fault.name)
            .collect()
    }

    #[test]
    fn what_is_not_set_has_a_default() {
        let config = read(&[]).unwrap();
        assert_eq!(config.control_plane, "https://id.example.com/t/demo");
        assert_eq!(
            config.upstream,
            Upstream::Url("http://10.0.0.7:8080".to_owned())
        );
        assert_eq!(config.revocation_max_age_ms, 1_000);
        assert_eq!(config.revocation_hard_limit_ms, 60_000);
        assert_eq!(config.on_stale, OnStale::Deny);
        assert_eq!(config.policy_max_age_ms, 1_000);
    }

    /// RFC 9728 §3.1.
    #[test]
    fn the_metadata_s_address_follows_from_the_audience() {
        let at = |audience: &str| {
            let resource = read(&[("AUDIENCE", audience)]).unwrap().resource;
            resource.map(|resource| (resource.metadata_url, resource.path))
        };
        let url = |host: &str, path: &str| {
            let url = format!("{host}/.well-known/oauth-protected-resource{path}");
            Some((url, path.to_owned()))
        };
        assert_eq!(
            at("https://api.example.com"),
            url("https://api.example.com", "")
        );
        assert_eq!(
            at("https://api.example.com/"),
            url("https://api.example.com", "")
        );
        assert_eq!(
            at("https://api.example.com:8443/v1/"),
            url("https://api.example.com:8443", "/v1")
        );
        for no_address in [
            "documents",
            "urn:example:api",
            "https://a/?b",
            "https://a/#b",
            "https://u@a/",
        ] {
            assert_eq!(at(no_address), None, "{no_address}");
        }
    }

    #[test]
    fn addresses_of_this_machine_are_known() {
        let names = |changes: &[(&str, &str)]| read(changes).unwrap().on_loopback();
        assert!(names(&[]).is_empty());
        assert_eq!(
            names(&[("UPSTREAM", "http://127.0.0.1:8790")]),
            ["UPSTREAM"]
        );
        assert_eq!(
            names(&[("ISSUER", "http://localhost:8788/t/demo")]),
            ["ISSUER", "CONTROL_PLANE"]
        );
        for host in [
            "127.0.0.1:8787",
            "127.8.0.1",
            "localhost",
            "[::1]:8787",
            "LOCALHOST",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "app.example.com",
            "10.0.0.1",
            "localhost.example.com",
            "[::2]",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn every_wrong_variable_is_named_at_once() {
        assert_eq!(
            names(Config::read(|_| None, false)),
            ["ISSUER", "AUDIENCE", "TENANT", "UPSTREAM"]
        );
        assert_eq!(
            names(read(&[
                ("TENANT", "demo"),
                ("REVOCATION_MAX_AGE_MS", "0"),
                ("REVOCATION_ON_STALE", "maybe"),
                ("BUNDLE_REFRESH_MS", "soon"),
            ])),
            [
                "TENANT",
                "REVOCATION_MAX_AGE_MS",
                "BUNDLE_REFRESH_MS",
                "REVOCATION_ON_STALE"
            ]
        );
    }

    #[test]
    fn a_feed_is_waited_for_before_it_proves_nothing() {
        let limits = |max_age, hard_limit| {
            read(&[
                ("REVOCATION_MAX_AGE_MS", max_age),
                ("REVOCATION_HARD_LIMIT_S", hard_limit),
            ])
        };
        assert!(limits("5000", "5").is_ok());
        assert_eq!(names(limits("5001", "5")), ["REVOCATION_MAX_AGE_MS"]);
        // also against a default
        assert!(read(&[("REVOCATION_MAX_AGE_MS", "60000")]).is_ok());
    }

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        // T14
        for issuer in [
            "http://id.example.com/t/demo",
            "ftp://id.example.com",
            "https://u:p@id.example.com",
            "https://id.example.com/?x",
            "https://id.example.com/t/demo/",
            "id.example.com",
        ] {
            assert_eq!(names(read(&[("ISSUER", issuer)])), ["ISSUER"], "{issuer}");
        }
        assert!(read(&[("ISSUER", "http://127.0.0.1:8788/t/demo")]).is_ok());
        assert_eq!(
            names(read(&[("CONTROL_PLANE", "http://10.0.0.1")])),
            ["CONTROL_PLANE"]
        );
    }

    #[test]
    fn a_service_binding_stands_in_for_an_address() {
        let config = Config::read(
            |name| match name {
                "ISSUER" => Some("https://id.example.com".to_owned()),
                "AUDIENCE" => Some("a".to_owned()),
                "TENANT" => Some("tenant_01jc0m5v7mec4t3x2n6q8r9s0v".to_owned()),
                _ => None,
            },
            true,
        );
        assert_eq!(config.unwrap().upstream, Upstream::Binding);
    }
}
