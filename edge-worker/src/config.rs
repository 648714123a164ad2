//! The Worker's variables, read once into what the rest works with. Wrong ones are named.

use std::{fmt, net::Ipv4Addr, ops::RangeInclusive};

use plinto_contract::{ids::TenantId, limits, problem::PAGES};
use url::Url;

use crate::stripped::Stripped;

/// Where a client learns which authorization server gives tokens for this API. Source: RFC 9728 §3.
pub const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

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

/// Text that no log and no message shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one header it is meant for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
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
    /// How long the application may take to begin its answer, where its route doesn't say.
    pub upstream_timeout_s: u32,
    /// By which the application knows the edge.
    pub upstream_secret: Option<Secret>,
    /// Which of a client's headers the application never sees.
    pub stripped: Stripped,
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
    /// The name under which the variable is set.
    pub name: &'static str,
    /// What is wrong with it, without its value.
    pub detail: String,
}

/// 30 s: how long an application may take to begin its answer when nobody says.
const TIMEOUT_S: i64 = 30;
/// 32 to 1,024: characters of the application's secret.
const SECRET_BYTES: RangeInclusive<usize> = 32..=1_024;

/// Names of all variables, as `wrangler.toml` has them.
pub const NAMES: [&str; 12] = [
    "ISSUER",
    "AUDIENCE",
    "TENANT",
    "UPSTREAM",
    "UPSTREAM_TIMEOUT_S",
    "UPSTREAM_SECRET",
    "STRIP_HEADERS",
    "CONTROL_PLANE",
    "REVOCATION_MAX_AGE_MS",
    "REVOCATION_HARD_LIMIT_S",
    "REVOCATION_ON_STALE",
    "BUNDLE_REFRESH_MS",
];

impl Config {
    /// Reads all variables.
    /// `variable`: the value of a name, if it is set; `is_bound`: whether a service is bound under it.
    /// Errors: every variable that is missing or wrong.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        is_bound: impl Fn(&str) -> bool,
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
        let upstream = if is_bound("UPSTREAM") {
            Some(Upstream::Binding)
        } else {
            reader.required("UPSTREAM", |text| base(text, false).map(Upstream::Url))
        };
        if upstream == Some(Upstream::Binding) && is_bound("UPSTREAM_VIA") {
            let detail = "is for an UPSTREAM that is an address; this one is bound itself";
            reader.fault("UPSTREAM_VIA", detail);
        }
        if reader.get("UPSTREAM_VIA").is_some() {
            reader.fault("UPSTREAM_VIA", "must be a binding, and not text");
        }
        let timeout = &limits::UPSTREAM_TIMEOUT_S;
        let timeout = i64::from(*timeout.start())..=i64::from(*timeout.end());
        let timeout = reader.number("UPSTREAM_TIMEOUT_S", TIMEOUT_S, timeout);
        let secret = reader.optional("UPSTREAM_SECRET", secret);
        let more = reader.get("STRIP_HEADERS").unwrap_or_default();
        let stripped = reader.checked("STRIP_HEADERS", Stripped::new(&more));
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
        let addresses = issuer.zip(control_plane).zip(upstream);
        match (
            addresses,
            audience,
            tenant,
            stripped,
            u32::try_from(timeout),
        ) {
            (
                Some(((issuer, control_plane), upstream)),
                Some(audience),
                Some(tenant),
                Some(stripped),
                Ok(upstream_timeout_s),
            ) if reader.faults.is_empty() => Ok(Self {
                issuer,
                resource: resource(&audience),
                audience,
                tenant,
                upstream,
                upstream_timeout_s,
                upstream_secret: secret,
                stripped,
                control_plane,
                revocation_max_age_ms: max_age,
                revocation_hard_limit_ms: hard_limit.saturating_mul(1_000),
                on_stale,
                policy_max_age_ms: policy_max_age,
            }),
            _ => Err(reader.faults),
        }
    }

    /// Where problem codes are explained: on the control plane, whose issuers are
    /// `{public URL}/t/{slug}`.
    pub fn problem_pages(&self) -> String {
        let public_url = match self.issuer.rsplit_once("/t/") {
            Some((public_url, _)) => public_url,
            None => &self.issuer,
        };
        format!("{public_url}{PAGES}")
    }

    /// 50 ms to 30 s: after how long each time to ask whether a token still stands whose request goes on.
    /// Half the feed's age, so that with a feed of the other half nobody goes on for longer than the whole.
    pub const fn recheck_every_ms(&self) -> i64 {
        self.revocation_max_age_ms / 2
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

    fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.get(name)?;
        self.checked(name, read(&text))
    }

    fn number(&mut self, name: &'static str, default: i64, range: RangeInclusive<i64>) -> i64 {
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

/// A secret that nobody guesses, and that a header can hold.
fn secret(text: &str) -> Result<Secret, String> {
    let is_visible = text.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    if is_visible && SECRET_BYTES.contains(&text.len()) {
        Ok(Secret(text.to_owned()))
    } else {
        Err(format!(
            "must be {} to {} visible ASCII characters, without spaces",
            SECRET_BYTES.start(),
            SECRET_BYTES.end()
        ))
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
            |_| false,
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
            names(Config::read(|_| None, |_| false)),
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
        let bound = |names: &'static [&'static str]| {
            Config::read(
                |name| match name {
                    "ISSUER" => Some("https://id.example.com".to_owned()),
                    "AUDIENCE" => Some("a".to_owned()),
                    "TENANT" => Some("tenant_01jc0m5v7mec4t3x2n6q8r9s0v".to_owned()),
                    "UPSTREAM" => Some("https://app.example.com".to_owned()),
                    _ => None,
                },
                |name| names.contains(&name),
            )
        };
        assert_eq!(bound(&["UPSTREAM"]).unwrap().upstream, Upstream::Binding);
        // a way to an address, which needs one
        let via = bound(&["UPSTREAM_VIA"]).unwrap().upstream;
        assert_eq!(via, Upstream::Url("https://app.example.com".to_owned()));
        let both = names(bound(&["UPSTREAM", "UPSTREAM_VIA"]));
        assert_eq!(both, ["UPSTREAM_VIA"]);
        let text = ("UPSTREAM_VIA", "https://app.example.com");
        assert_eq!(names(read(&[text])), ["UPSTREAM_VIA"]);
    }

    #[test]
    fn what_is_said_of_the_application_is_checked() {
        let config = read(&[]).unwrap();
        assert_eq!(config.upstream_timeout_s, 30);
        assert_eq!(config.upstream_secret, None);
        assert_eq!(config.recheck_every_ms(), 500);
        let long = "x".repeat(1_025);
        for (name, wrong) in [
            ("UPSTREAM_TIMEOUT_S", "0"),
            ("UPSTREAM_TIMEOUT_S", "3601"),
            ("UPSTREAM_SECRET", "too short"),
            ("UPSTREAM_SECRET", "two words that are long enough together"),
            ("UPSTREAM_SECRET", long.as_str()),
            ("STRIP_HEADERS", "host"),
        ] {
            let faults = read(&[(name, wrong)]).unwrap_err();
            assert_eq!(faults.len(), 1, "{name}");
            assert_eq!(faults[0].name, name);
            // N11: a secret that is wrong is a secret all the same
            let is_shown = name == "UPSTREAM_SECRET" && faults[0].detail.contains(wrong);
            assert!(!is_shown, "{faults:?}");
        }
    }
}
