//! Requests per client address, told to the client as draft-ietf-httpapi-ratelimit-headers-11 says.

use std::{
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

use crate::http::ApiError;

type Limiter =
    RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

/// The window that the quota is told for.
const WINDOW_S: u32 = 60;

/// Requests per client address. The clock here is the monotonic one: no decision about identity
/// depends on it.
pub struct RateLimits {
    limiter: Option<(Limiter, u32)>,
    clock: DefaultClock,
}

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quota = self.limiter.as_ref().map(|(_, quota)| quota);
        formatter
            .debug_struct("RateLimits")
            .field("per_minute", &quota)
            .finish_non_exhaustive()
    }
}

impl RateLimits {
    /// `per_minute` of 0 switches the limit off.
    pub fn new(per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute).map(|quota| {
            let limiter = RateLimiter::keyed(Quota::per_minute(quota))
                .with_middleware::<StateInformationMiddleware>();
            (limiter, per_minute)
        });
        Self {
            limiter,
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request. The headers go on its answer, refused or not.
    pub fn check(&self, ip: IpAddr) -> (HeaderMap, Result<(), ApiError>) {
        let mut headers = HeaderMap::new();
        let Some((limiter, quota)) = &self.limiter else {
            return (headers, Ok(()));
        };
        let (remaining, wait_s) = match limiter.check_key(&network(ip)) {
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
        set(
            &mut headers,
            "ratelimit-policy",
            format!("\"default\";q={quota};w={WINDOW_S}"),
        );
        set(
            &mut headers,
            "ratelimit",
            format!("\"default\";r={remaining};t={full_in_s}"),
        );
        let result =
            match wait_s {
                None => Ok(()),
                Some(seconds) => Err(ApiError::new(Code::RateLimited, Code::RateLimited.title())
                    .retry_after(seconds)),
            };
        (headers, result)
    }

    /// Forgets addresses whose quota is full again.
    pub fn forget_idle(&self) {
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
fn network(ip: IpAddr) -> IpAddr {
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
        let limits = RateLimits::new(2);
        let (headers, first) = limits.check(ip("192.0.2.1"));
        assert!(first.is_ok());
        assert_eq!(headers["ratelimit-policy"], "\"default\";q=2;w=60");
        assert_eq!(headers["ratelimit"], "\"default\";r=1;t=30");
        assert!(limits.check(ip("192.0.2.1")).1.is_ok());
        let (headers, third) = limits.check(ip("192.0.2.1"));
        assert_eq!(third.unwrap_err().code(), Code::RateLimited);
        assert_eq!(headers["ratelimit"], "\"default\";r=0;t=60");
        assert!(limits.check(ip("192.0.2.2")).1.is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let limits = RateLimits::new(1);
        assert!(limits.check(ip("2001:db8::1")).1.is_ok());
        assert!(limits.check(ip("2001:db8::2")).1.is_err());
        assert!(limits.check(ip("2001:db8:0:1::1")).1.is_ok());
    }
}
