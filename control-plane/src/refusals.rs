//! Records that somebody tried what they may not.
//!
//! One that tries again and again is told of once a minute: a refusal costs them nothing and must not cost us
//! a write each.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use plinto_contract::{events::AccessDenied, problem::Code};
use plinto_platform::{
    Platform, PlatformState,
    actor::Actor,
    authority::{self, Need},
    http::ApiError,
    recheck::Refused,
};

/// 1 minute: how long a refusal stands for those like it.
const ONCE_IN: Duration = Duration::from_mins(1);
/// 10,000 refusals are remembered.
const REMEMBERED_MAX: u64 = 10_000;

/// What was told in the last minute: who, and where.
struct Told(moka::sync::Cache<(String, String), ()>);

impl PlatformState for Told {
    fn new(_: &Platform) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(REMEMBERED_MAX)
            .time_to_live(ONCE_IN)
            .build();
        Self(cache)
    }
}

/// Looks at how a request of a known actor ended. Runs inside of the authentication.
pub async fn record(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let actor = request.extensions().get::<Actor>().cloned();
    let route = request.extensions().get::<MatchedPath>();
    let operation = format!(
        "{} {}",
        request.method(),
        route.map_or("", MatchedPath::as_str)
    );
    let response = next.run(request).await;
    let refusal = response.extensions().get::<ApiError>();
    let is_denied = refusal.is_some_and(|refusal| refusal.code() == Code::PermissionDenied);
    if let (true, Some(actor)) = (is_denied, actor)
        && let Err(error) = tell(&platform, &actor, operation).await
    {
        tracing::error!(%error, "a refusal could not be recorded");
    }
    response
}

/// Errors: what the database says. Whoever has lost their key meanwhile is of no interest any more.
async fn tell(platform: &Platform, actor: &Actor, operation: String) -> Result<(), Refused> {
    let who = actor.for_event().id;
    let told = platform.state::<Told>();
    let key = (who.clone(), operation.clone());
    if told.0.contains_key(&key) {
        return Ok(());
    }
    told.0.insert(key, ());
    let mut work = match authority::begin(platform, actor, Need::Live).await {
        Ok(work) => work,
        Err(Refused::Denied(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    work.record(who, &AccessDenied { operation }).await?;
    Ok(work.commit().await?)
}
