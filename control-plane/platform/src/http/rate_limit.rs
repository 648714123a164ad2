//! How often a client may ask, told to it as draft-ietf-httpapi-ratelimit-headers-11 says.
//!
//! Three budgets. Addresses have one for the documents that verifiers and edges fetch again and
//! again, so that people behind the same address cannot use it up and close a gate, and one for
//! everything else. A machine with an API key has its own, whatever address it comes from and
//! however busy that is; but only with a key that we made, or made-up keys would be a way around the
//! limit.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use plinto_contract::problem::Code;

use crate::{Platform, PlatformState, envelope::sha256_hex, http::ApiError};

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// The window that the quotas are told for.
const WINDOW_S: u32 = 60;
/// 10: an edge asks for its documents every second, and many edges share an address.
const DOCUMENTS_FACTOR: u32 = 10;
/// 50: a resource server asks about a token for each of its own requests.
const KEY_FACTOR: u32 = 50;

/// What a request asks for, as far as its limit is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Health and figures: a probe that is refused would end a healthy server.
    Probe,
    /// A public document that caches keep.
    Document,
    /// Anything else.
    Work,
}

impl Ask {
    /// By the route that matched, where it is in no group.
    pub fn beside_groups(route: &str) -> Self {
        if matches!(route, "/healthz" | "/readyz" | "/metrics") {
            Self::Probe
        } else {
            Self::Work
        }
    }
}

/// The budgets. The clock here is the monotonic one: no decision about identity depends on it.
#[derive(Debug)]
pub struct RateLimits {
    work: Budget<IpAddr>,
    documents: Budget<IpAddr>,
    keys: Budget<String>,
}

impl PlatformState for RateLimits {
    fn new(platform: &Platform) -> Self {
        Self::of(platform.config.http.requests_per_minute)
    }
}

impl RateLimits {
    /// `per_minute` of 0 switches the limits off.
    fn of(per_minute: u32) -> Self {
        Self {
            work: Budget::new("default", per_minute),
            documents: Budget::new("documents", per_minute.saturating_mul(DOCUMENTS_FACTOR)),
            keys: Budget::new("api_key", per_minute.saturating_mul(KEY_FACTOR)),
        }
    }

    /// Counts a request. The headers go on its answer, refused or not.
    /// `own`: a credential that we made, which pays for itself.
    pub fn check(
        &self,
        ip: IpAddr,
        ask: Ask,
        own: Option<&str>,
    ) -> (HeaderMap, Result<(), ApiError>) {
        match (ask, own) {
            (Ask::Probe, _) => (HeaderMap::new(), Ok(())),
            (Ask::Document, _) => self.documents.check(&network(ip)),
            (Ask::Work, Some(own)) => self.keys.check(&sha256_hex(own)),
            (Ask::Work, None) => self.work.check(&network(ip)),
        }
    }

    /// Forgets whose quota is full again.
    pub fn forget_idle(&self) {
        self.work.forget_idle();
        self.documents.forget_idle();
        self.keys.forget_idle();
    }
}

/// So many requests a minute for each key.
struct Budget<K: Hash + Eq + Clone> {
    name: &'static str,
    limiter: Option<(Limiter<K>, u32)>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Budget<K> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quota = self.limiter.as_ref().map(|(_, quota)| quota);
        formatter
            .debug_struct("Budget")
            .field("name", &self.name)
            .field("per_minute", &quota)
            .finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Budget<K> {
    fn new(name: &'static str, per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute).map(|quota| {
            let limiter = RateLimiter::keyed(Quota::per_minute(quota))
                .with_middleware::<StateInformationMiddleware>();
            (limiter, per_minute)
        });
        Self {
            name,
            limiter,
            clock: DefaultClock::default(),
        }
    }

    fn check(&self, key: &K) -> (HeaderMap, Result<(), ApiError>) {
        let mut headers = HeaderMap::new();
        let Some((limiter, quota)) = &self.limiter else {
            return (headers, Ok(()));
        };
        let (remaining, wait_s) = match limiter.check_key(key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refusal) => {
                let wait = refusal.wait_time_from(self.clock.now());
                (
                    0,
                    Some(i64::try_from(wait.as_secs()).unwrap_or(1).saturating_add(1)),
                )
            }
        };
        // Tokens come back one by one: full again after this long.
        let spent = u64::from(quota.saturating_sub(remaining));
        let full_in_s = spent
            .saturating_mul(u64::from(WINDOW_S))
            .div_ceil(u64::from(*quota));
        let name = self.name;
        set(
            &mut headers,
            "ratelimit-policy",
            format!("\"{name}\";q={quota};w={WINDOW_S}"),
        );
        set(
            &mut headers,
            "ratelimit",
            format!("\"{name}\";r={remaining};t={full_in_s}"),
        );
        let result =
            match wait_s {
                None => Ok(()),
                Some(seconds) => Err(ApiError::new(Code::RateLimited, Code::RateLimited.title())
                    .retry_after(seconds)),
            };
        (headers, result)
    }

    fn forget_idle(&self) {
        if let Some((limiter, _)) = &self.limiter {
            limiter.retain_recent();
        }
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// One customer has a whole IPv6 /64: it counts as one address.
pub(super) fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_request_beyond_the_quota_is_refused_and_told_when_to_come_again() {
        let limits = RateLimits::of(2);
        let (headers, first) = limits.check(ip("192.0.2.1"), Ask::Work, None);
        assert!(first.is_ok());
        assert_eq!(headers["ratelimit-policy"], "\"default\";q=2;w=60");
        assert_eq!(headers["ratelimit"], "\"default\";r=1;t=30");
        assert!(limits.check(ip("192.0.2.1"), Ask::Work, None).1.is_ok());
        let (headers, third) = limits.check(ip("192.0.2.1"), Ask::Work, None);
        assert_eq!(third.unwrap_err().code(), Code::RateLimited);
        assert_eq!(headers["ratelimit"], "\"default\";r=0;t=60");
        assert!(limits.check(ip("192.0.2.2"), Ask::Work, None).1.is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let limits = RateLimits::of(1);
        assert!(limits.check(ip("2001:db8::1"), Ask::Work, None).1.is_ok());
        assert!(limits.check(ip("2001:db8::2"), Ask::Work, None).1.is_err());
        assert!(
            limits
                .check(ip("2001:db8:0:1::1"), Ask::Work, None)
                .1
                .is_ok()
        );
    }

    #[test]
    fn probes_are_free_and_documents_have_a_budget_of_their_own() {
        let limits = RateLimits::of(1);
        let home = ip("192.0.2.1");
        let ask = |ask: Ask| limits.check(home, ask, None);
        assert!(ask(Ask::Work).1.is_ok());
        assert!(ask(Ask::Work).1.is_err());
        for _ in 0..100 {
            for probe in ["/healthz", "/readyz", "/metrics"] {
                let (headers, result) = ask(Ask::beside_groups(probe));
                assert!(headers.is_empty() && result.is_ok());
            }
        }
        let answers = (0..30).map(|_| ask(Ask::Document).1.is_ok());
        assert_eq!(answers.filter(|passed| *passed).count(), 10);
        let nowhere = ask(Ask::beside_groups(""));
        assert!(nowhere.1.is_err(), "what is nowhere is not free");
    }
}
