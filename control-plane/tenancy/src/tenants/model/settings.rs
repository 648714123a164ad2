//! What a tenant's administrators set, and what of it is acceptable.

use std::{collections::BTreeSet, net::IpAddr, ops::RangeInclusive};

use plinto_contract::problem::FieldError;
use plinto_platform::text;
use url::{Host, Url};

use super::Tenant;

/// The client that software belongs to which does not say what it is: the tenant's own.
pub const DEFAULT_CLIENT: &str = "plinto";
/// 200 characters.
const TEXT_MAX: usize = 200;
/// 64: entries of a list. Every request of a browser looks through it.
const LIST_MAX: usize = 64;
/// 255 bytes: a host name with its scheme and port.
const ORIGIN_MAX: usize = 255;
/// 60 s to 10 years: a session's limits.
const LIMITS_S: RangeInclusive<i64> = 60..=3_650 * 24 * 60 * 60;

/// Who may sign up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SignUpMode {
    /// Whoever asks.
    Open,
    /// Nobody: `sign_up` is refused.
    Closed,
}

impl SignUpMode {
    /// The text in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// Reads the text of the table.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Open, Self::Closed]
            .into_iter()
            .find(|word| word.as_str() == text)
    }
}

/// What shall change of a tenant; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateTenant {
    /// See [`Tenant::name`].
    pub name: Option<String>,
    /// See [`Tenant::audience`].
    pub audience: Option<String>,
    /// See [`Tenant::sign_up`].
    pub sign_up: Option<SignUpMode>,
    /// See [`Tenant::allowed_origins`].
    pub allowed_origins: Option<Vec<String>>,
    /// See [`Tenant::client_ids`].
    pub client_ids: Option<Vec<String>>,
    /// See [`Tenant::session_idle_s`].
    pub session_idle_s: Change<i64>,
    /// See [`Tenant::session_absolute_s`].
    pub session_absolute_s: Change<i64>,
}

/// What becomes of a value that may be left to the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// This one from now on; `None`: the server's.
    To(Option<T>),
}

impl<T> Change<T> {
    fn apply(self, value: &mut Option<T>) {
        if let Self::To(new) = self {
            *value = new;
        }
    }
}

impl UpdateTenant {
    /// Makes the changes; says which settings changed.
    pub(in crate::tenants) fn apply(self, tenant: &mut Tenant) -> Vec<&'static str> {
        let before = tenant.clone();
        let set = |value: &mut Vec<String>, new: Option<Vec<String>>| {
            if let Some(new) = new {
                *value = new;
            }
        };
        if let Some(name) = self.name {
            tenant.name = name;
        }
        if let Some(audience) = self.audience {
            tenant.audience = audience;
        }
        if let Some(sign_up) = self.sign_up {
            tenant.sign_up = sign_up;
        }
        set(&mut tenant.allowed_origins, self.allowed_origins);
        set(&mut tenant.client_ids, self.client_ids);
        self.session_idle_s.apply(&mut tenant.session_idle_s);
        self.session_absolute_s
            .apply(&mut tenant.session_absolute_s);
        let changed = [
            ("name", before.name != tenant.name),
            ("audience", before.audience != tenant.audience),
            ("sign_up", before.sign_up != tenant.sign_up),
            (
                "allowed_origins",
                before.allowed_origins != tenant.allowed_origins,
            ),
            ("client_ids", before.client_ids != tenant.client_ids),
            (
                "session_idle_s",
                before.session_idle_s != tenant.session_idle_s,
            ),
            (
                "session_absolute_s",
                before.session_absolute_s != tenant.session_absolute_s,
            ),
        ];
        changed
            .into_iter()
            .filter_map(|(name, is_changed)| is_changed.then_some(name))
            .collect()
    }
}

impl Tenant {
    /// Which settings cannot be.
    pub(in crate::tenants) fn faults(&self) -> Vec<FieldError> {
        let mut faults = text_faults(&self.name, &self.audience);
        list(
            "/allowed_origins",
            &self.allowed_origins,
            &mut faults,
            |origin| {
                check_origin(origin)
                    .err()
                    .map(|detail| ("origin_invalid", detail))
            },
        );
        list("/client_ids", &self.client_ids, &mut faults, |id| {
            let detail = "1 to 64 of `A-Z a-z 0-9 . _ ~ -`".to_owned();
            (!is_client_id(id)).then_some(("client_id_invalid", detail))
        });
        if self.client_ids.is_empty() {
            let detail = "without a client nobody gets a token";
            faults.push(FieldError::new("/client_ids", "required", detail));
        }
        self.limit_faults(&mut faults);
        faults
    }

    fn limit_faults(&self, faults: &mut Vec<FieldError>) {
        let limits = [
            ("/session_idle_s", self.session_idle_s),
            ("/session_absolute_s", self.session_absolute_s),
        ];
        for (pointer, limit) in limits {
            if limit.is_some_and(|seconds| !LIMITS_S.contains(&seconds)) {
                let (least, most) = (LIMITS_S.start(), LIMITS_S.end());
                let detail = format!("{least} to {most} seconds, or null for the server's own");
                faults.push(FieldError::new(pointer, "out_of_range", detail));
            }
        }
        if let (Some(idle), Some(absolute)) = (self.session_idle_s, self.session_absolute_s)
            && idle > absolute
        {
            let detail = "not longer than `session_absolute_s`";
            faults.push(FieldError::new("/session_idle_s", "out_of_range", detail));
        }
    }
}

/// Which of a tenant's texts cannot be.
pub(super) fn text_faults(name: &str, audience: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if let Err(problem) = text::check_name(name, TEXT_MAX) {
        faults.push(problem.at("/name"));
    }
    if !is_audience(audience) {
        let detail =
            "1 to 200 printable ASCII characters without spaces, as in `https://api.example.com`";
        faults.push(FieldError::new("/audience", "invalid_value", detail));
    }
    faults
}

/// Looks at each entry of a list by itself, and at the list.
fn list(
    pointer: &str,
    entries: &[String],
    faults: &mut Vec<FieldError>,
    fault: impl Fn(&str) -> Option<(&'static str, String)>,
) {
    if entries.len() > LIST_MAX {
        let detail = format!("at most {LIST_MAX}");
        faults.push(FieldError::new(pointer, "too_many", detail));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let twice = || {
            (
                "duplicate",
                "this one stands in the list already".to_owned(),
            )
        };
        let found = fault(entry).or_else(|| (!seen.insert(entry)).then(twice));
        if let Some((code, detail)) = found {
            faults.push(FieldError::new(format!("{pointer}/{index}"), code, detail));
        }
    }
}

/// A `StringOrURI` as others write and compare it: byte for byte. Source: RFC 7519 §2, §4.1.3.
fn is_audience(text: &str) -> bool {
    (1..=TEXT_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a text can name a client.
pub fn is_client_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Whether a text is an origin just as browsers send it: nothing is put right, since what is compared
/// is compared byte by byte. Source: RFC 6454 §6.2.
/// Errors: what to write instead.
fn check_origin(text: &str) -> Result<(), String> {
    let form = || "an origin such as `https://app.example.com`, without a path".to_owned();
    if text.len() > ORIGIN_MAX {
        return Err(form());
    }
    if text.contains('*') {
        return Err("each origin in full: `*` stands for nothing here".to_owned());
    }
    let url = Url::parse(text).map_err(|_| form())?;
    let is_right = match url.scheme() {
        "https" => true,
        "http" => url.host().as_ref().is_some_and(is_this_machine),
        _ => return Err(form()),
    };
    if !is_right {
        return Err("https, or http on this machine only".to_owned());
    }
    let origin = url.origin().ascii_serialization();
    if origin == text {
        Ok(())
    } else {
        Err(format!("browsers write it `{origin}`"))
    }
}

fn is_this_machine<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(ip) => IpAddr::V4(*ip).is_loopback(),
        Host::Ipv6(ip) => IpAddr::V6(*ip).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_only_as_browsers_write_it() {
        for good in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "https://xn--bcher-kva.example",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:5173",
        ] {
            assert_eq!(check_origin(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com:443",
            "https://APP.example.com",
            "https://bücher.example",
            "https://me@app.example.com",
            "https://*.example.com",
            " https://app.example.com",
            "http://app.example.com",
            "http://localhost.example.com",
            "ftp://app.example.com",
            "file:///etc/passwd",
            "https://app.example.com?x",
        ] {
            assert!(check_origin(bad).is_err(), "{bad}");
        }
        let said = check_origin("https://App.example.com:443/").unwrap_err();
        assert_eq!(said, "browsers write it `https://app.example.com`");
    }
}
