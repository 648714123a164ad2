//! What the unit tests of this crate share.

use std::{cell::Cell, collections::BTreeMap};

use plinto_contract::{
    claims::{AccessToken, Audience},
    ids::{OrganizationId, SessionId, TenantId, TokenId, UserId},
    time::UnixMillis,
};

use crate::{config::Config, request::EdgeRequest};

pub(crate) fn now() -> UnixMillis {
    UnixMillis(1_764_000_000_000)
}

pub(crate) fn config() -> Config {
    config_with(&[])
}

/// The same with these variables.
pub(crate) fn config_with(more: &[(&str, &str)]) -> Config {
    let tenant = claims().tenant.to_string();
    let mut all = BTreeMap::from([
        ("ISSUER", "https://id.example.com/t/demo"),
        ("AUDIENCE", "https://api.example.com"),
        ("TENANT", &tenant),
        ("UPSTREAM", "https://app.internal"),
    ]);
    all.extend(more.iter().copied());
    let variable = |name: &str| all.get(name).map(|text| (*text).to_owned());
    Config::read(variable, |_| false).unwrap()
}

pub(crate) fn claims() -> AccessToken {
    let iat = now().to_seconds();
    AccessToken {
        iss: "https://id.example.com/t/demo".to_owned(),
        sub: UserId::from_parts(1, [1; 10]),
        aud: Audience::One("https://api.example.com".to_owned()),
        exp: iat.plus_seconds(600),
        iat,
        jti: TokenId::from_parts(1, [2; 10]),
        sid: SessionId::from_parts(1, [3; 10]),
        tenant: TenantId::from_parts(1, [4; 10]),
        org: Some(OrganizationId::from_parts(1, [5; 10])),
        roles: vec!["member".to_owned(), "editor".to_owned()],
        epoch: 0,
        auth_time: iat,
        ..known_claims()
    }
}

/// The first claims set of the known answers, which has every claim.
fn known_claims() -> AccessToken {
    let known = include_str!("../../contract/vectors/access_token.json");
    let known: serde_json::Value = serde_json::from_str(known).unwrap();
    serde_json::from_value(known["valid"][0]["value"].clone()).unwrap()
}

pub(crate) fn request(method: &str, path: &str, authorization: Option<&str>) -> EdgeRequest {
    EdgeRequest::new(
        method,
        &format!("https://app.example.com{path}"),
        authorization.map(str::to_owned),
        None,
    )
    .unwrap()
}

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// One more of whatever is counted: work is bounded by counting it, never by a clock.
pub(crate) fn count_step() {
    STEPS.set(STEPS.get().saturating_add(1));
}

/// What `work` returns, and how many steps it took.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    STEPS.set(0);
    (work(), STEPS.get())
}
