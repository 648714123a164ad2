//! `/.plinto/health`: what this isolate has in hand, and how old it is.

use plinto_contract::time::UnixMillis;
use serde_json::json;

use crate::{
    config::Config,
    document::Document,
    keys::KeySet,
    memory::{Due, Memory},
    refusal::Answer,
    revocations::Reliance,
};

/// What is refreshed before the report: what a request with a token would wait for. Nothing that
/// is fresh: anybody may ask for the report as often as they like.
pub fn due(config: &Config, memory: &Memory, now: UnixMillis) -> Due {
    let mut due = memory.due(config, true, now);
    if memory.keys.age_ms(KeySet::Token, now).is_none() {
        due.wait.insert(Document::TokenKeys);
    } else if !memory.keys.is_fresh(KeySet::Token, now) {
        due.behind.insert(Document::TokenKeys);
    }
    due
}

/// The state of the edge: 200 when it can decide, 503 when it can only refuse.
pub fn report(config: &Config, memory: &Memory, now: UnixMillis) -> Answer {
    let policy = memory.policy.active(now);
    let reliance = memory.revocations.reliance(config, true, now);
    let revocations = match reliance {
        Reliance::Good { .. } | Reliance::Wait => "good",
        Reliance::Flagged => "stale_flagged",
        Reliance::Unknown => "unknown",
    };
    let (usable, skipped) = memory.keys.counts(KeySet::Token);
    let keys_age = memory.keys.age_ms(KeySet::Token, now);
    let is_ready = policy.is_some() && keys_age.is_some() && reliance != Reliance::Unknown;
    let body = json!({
        "status": if is_ready { "ready" } else { "not_ready" },
        "issuer": config.issuer,
        "tenant": config.tenant,
        "bundle": memory.policy.latest().map(|latest| json!({
            "revision": latest.revision,
            "sequence": latest.sequence,
            "expires_at": latest.expires_at.to_millis(),
            "is_valid": policy.is_some(),
            "confirmed_ms_ago": memory.policy.freshness.age_ms(now),
        })),
        "keys": {
            "state": if keys_age.is_some() { "usable" } else { "missing" },
            "usable": usable,
            "skipped": skipped,
            "confirmed_ms_ago": keys_age,
        },
        "revocations": {
            "state": revocations,
            "version": memory.revocations.version(),
            "confirmed_ms_ago": memory.revocations.freshness.age_ms(now),
        },
    });
    Answer {
        status: if is_ready { 200 } else { 503 },
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ],
        body: body.to_string(),
    }
}
