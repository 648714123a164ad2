//! Mounts every feature's doors and finds out who is asking; nothing else.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Uri, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use plinto_contract::{ids::TenantId, problem::Code};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::{Actor, PermissionSet, Principal},
    app::App,
    features::{self, tenants::Tenant},
    http::{
        ApiError,
        actor::{bearer, client_ip, user_agent},
        idempotency,
        layers::{self, RequestName},
        problem, query, retry,
    },
    openapi, ops,
    secret::Secret,
};

/// `/v1`: for machines with an API key. One line per feature.
fn management() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(features::tenants::rest::routes())
        .merge(features::users::rest::routes())
        .merge(features::sessions::rest::routes())
        .merge(features::sign_in::rest::routes())
        .merge(features::signing_keys::rest::routes())
        .merge(features::roles::rest::routes())
        .merge(features::organizations::rest::routes())
        .merge(features::api_keys::rest::routes())
        .merge(features::policies::rest::routes())
}

/// `/t/{tenant}`: for people and for those who verify. One line per feature.
fn under_issuer() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(features::signing_keys::rest::public_routes())
        .merge(features::users::rest::issuer_routes())
        .merge(features::sessions::rest::issuer_routes())
        .merge(features::sign_in::rest::issuer_routes())
        .merge(features::oauth::rest::issuer_routes())
        .merge(features::policies::rest::public_routes())
        .merge(features::revocations::rest::public_routes())
}

/// Those of them that happen once with an `Idempotency-Key`.
fn under_issuer_once() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(features::sign_in::rest::idempotent_routes())
}

/// Documents that stand beside the issuer path.
fn beside_issuer() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(features::tenants::rest::discovery_routes())
}

/// Everything, wrapped.
pub fn router(app: &App) -> Router {
    let (doors, api) = doors(app);
    let api = openapi::complete(api);
    let declared = query::Declared::of(&api);
    doors
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::concurrency_limit,
        ))
        .merge(ops::routes(api))
        .layer(middleware::from_fn_with_state(
            declared,
            query::refuse_unknown,
        ))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(app.config.http.body_bytes))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::time_limit,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::rate_limit,
        ))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            problem::write_problems,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::security_headers,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::name_and_log,
        ))
        .with_state(app.clone())
}

/// The `OpenAPI` document, without a running server.
pub fn openapi() -> OpenApi {
    let doors = management()
        .merge(under_issuer())
        .merge(under_issuer_once())
        .merge(beside_issuer());
    let api = OpenApiRouter::with_openapi(openapi::about())
        .merge(doors)
        .into_openapi();
    openapi::complete(api)
}

fn doors(app: &App) -> (Router<App>, OpenApi) {
    let again = middleware::from_fn_with_state(app.clone(), retry::when_lost);
    let management = management()
        .route_layer(again.clone())
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            idempotency::once,
        ))
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            authenticate_management,
        ));
    let once = middleware::from_fn_with_state(app.clone(), idempotency::once);
    let under_issuer_once = under_issuer_once()
        .route_layer(again.clone())
        .route_layer(once);
    let under_issuer = under_issuer()
        .route_layer(again)
        .merge(under_issuer_once)
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            authenticate_under_issuer,
        ));
    OpenApiRouter::with_openapi(openapi::about())
        .merge(management)
        .merge(under_issuer)
        .merge(beside_issuer())
        .split_for_parts()
}

async fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, Code::NotFound.title())
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, Code::MethodNotAllowed.title())
}

/// `/v1` answers to API keys only; the tenant is the key's.
async fn authenticate_management(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let actor = match bearer(&parts.headers) {
        Ok(Some(token)) => of_api_key(&app, &token).await,
        Ok(None) => Err(ApiError::new(
            Code::AuthenticationRequired,
            "send an API key as `Authorization: Bearer plinto_sk_…`",
        )),
        Err(error) => Err(error),
    };
    match actor {
        Ok(mut actor) => {
            describe(&app, &parts, &mut actor);
            parts.extensions.insert(actor);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}

/// Under an issuer the path names the tenant; a token or key of another one is worth nothing.
async fn authenticate_under_issuer(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match under_issuer_actor(&app, &parts).await {
        Ok(mut actor) => {
            describe(&app, &parts, &mut actor);
            parts.extensions.insert(actor);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}

async fn under_issuer_actor(app: &App, parts: &Parts) -> Result<Actor, ApiError> {
    let tenant = features::tenants::by_slug(app, slug(&parts.uri).unwrap_or_default()).await?;
    let anonymous = of(tenant.id, Principal::Anonymous, PermissionSet::none());
    let result = match bearer(&parts.headers) {
        Ok(None) => return Ok(anonymous),
        Ok(Some(token)) => of_token(app, &tenant, &token).await,
        Err(error) => Err(error),
    };
    match result {
        // OAuth's doors refuse in OAuth's own form (RFC 6749 §5.2): they see nobody.
        Err(error) if error.code().status() == 401 && is_oauth(&parts.uri) => {
            tracing::info!(
                code = error.code().as_str(),
                "credentials were not accepted"
            );
            Ok(anonymous)
        }
        result => result,
    }
}

/// A person's access token or a machine's API key, of this tenant.
async fn of_token(app: &App, tenant: &Tenant, token: &Secret) -> Result<Actor, ApiError> {
    if token.expose().starts_with(features::api_keys::PREFIX) {
        let actor = of_api_key(app, token).await?;
        if actor.tenant != tenant.id {
            return Err(ApiError::new(
                Code::ApiKeyInvalid,
                Code::ApiKeyInvalid.title(),
            ));
        }
        return Ok(actor);
    }
    let principal = features::sessions::authenticate(app, tenant, token.expose()).await?;
    // What people may do to their own things needs no permission; nothing else is theirs to do.
    Ok(of(tenant.id, principal, PermissionSet::none()))
}

fn of(tenant: TenantId, principal: Principal, permissions: PermissionSet) -> Actor {
    Actor {
        tenant,
        principal,
        permissions,
        ip: None,
        user_agent: String::new(),
        request_id: None,
    }
}

fn is_oauth(uri: &Uri) -> bool {
    uri.path().split('/').nth(3) == Some("oauth")
}

/// `/t/{slug}/…`
fn slug(uri: &Uri) -> Option<&str> {
    uri.path().strip_prefix("/t/")?.split('/').next()
}

async fn of_api_key(app: &App, token: &Secret) -> Result<Actor, ApiError> {
    let known = features::api_keys::authenticate(app, token.expose()).await?;
    app.rate_limits.is_good(token.expose()).await;
    Ok(of(
        known.tenant,
        Principal::ApiKey { key: known.key },
        known.permissions,
    ))
}

fn describe(app: &App, parts: &Parts, actor: &mut Actor) {
    actor.ip = client_ip(parts, &app.config.http);
    actor.user_agent = user_agent(&parts.headers);
    actor.request_id = parts.extensions.get::<RequestName>().map(|name| name.0);
}
