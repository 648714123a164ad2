//! Finds out who asks: one way for each group of routes that the router mounts.
//!
//! A credential is looked at only where it matters. What is open to everybody does not refuse
//! somebody for a token that has run out.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Uri, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use plinto_contract::{ids::TenantId, problem::Code};

use crate::{
    actor::{Actor, PermissionSet, Principal},
    app::App,
    features::{self, tenants::Tenant},
    http::{
        ApiError,
        actor::{bearer, client_ip, user_agent},
        layers::RequestName,
    },
    secret::Secret,
};

/// `/v1`: an API key must come along; the tenant is the key's.
pub async fn of_machine(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let actor = match bearer(&parts.headers) {
        Ok(Some(token)) => of_api_key(&app, &token).await,
        Ok(None) => Err(ApiError::new(
            Code::AuthenticationRequired,
            "send an API key as `Authorization: Bearer plinto_sk_…`",
        )),
        Err(error) => Err(error),
    };
    go_on(&app, actor, (parts, body), next).await
}

/// Under an issuer, where people see to their own: the path names the tenant, and a token or key of
/// another one is worth nothing.
pub async fn of_person(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let actor = match tenant(&app, &parts.uri).await {
        Ok(tenant) => of_credential(&app, &tenant, &parts.headers).await,
        Err(error) => Err(error),
    };
    go_on(&app, actor, (parts, body), next).await
}

/// Under an issuer, OAuth's own: it refuses credentials in its own form (RFC 6749 §5.2), and here
/// whoever sends bad ones is nobody.
pub async fn of_oauth_client(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let actor = match tenant(&app, &parts.uri).await {
        Ok(tenant) => match of_credential(&app, &tenant, &parts.headers).await {
            Err(error) if error.code().status() == 401 => {
                let code = error.code().as_str();
                tracing::info!(code, "credentials were not accepted");
                Ok(anonymous(tenant.id))
            }
            result => result,
        },
        Err(error) => Err(error),
    };
    go_on(&app, actor, (parts, body), next).await
}

/// Under an issuer, where people come in: nobody is anybody yet, whatever they send.
pub async fn of_nobody(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let actor = tenant(&app, &parts.uri).await;
    let actor = actor.map(|tenant| anonymous(tenant.id));
    go_on(&app, actor, (parts, body), next).await
}

async fn go_on(
    app: &App,
    actor: Result<Actor, ApiError>,
    (mut parts, body): (Parts, Body),
    next: Next,
) -> Response {
    match actor {
        Ok(mut actor) => {
            describe(app, &parts, &mut actor);
            parts.extensions.insert(actor);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}

async fn tenant(app: &App, uri: &Uri) -> Result<Tenant, ApiError> {
    Ok(features::tenants::by_slug(app, slug(uri).unwrap_or_default()).await?)
}

/// `/t/{slug}/…`
pub fn slug(uri: &Uri) -> Option<&str> {
    uri.path().strip_prefix("/t/")?.split('/').next()
}

/// A person's access token or a machine's API key, of this tenant; without one, nobody.
async fn of_credential(app: &App, tenant: &Tenant, headers: &HeaderMap) -> Result<Actor, ApiError> {
    let Some(token) = bearer(headers)? else {
        return Ok(anonymous(tenant.id));
    };
    if token.expose().starts_with(features::api_keys::PREFIX) {
        let actor = of_api_key(app, &token).await?;
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

async fn of_api_key(app: &App, token: &Secret) -> Result<Actor, ApiError> {
    let known = features::api_keys::authenticate(app, token.expose()).await?;
    Ok(of(
        known.tenant,
        Principal::ApiKey { key: known.key },
        known.permissions,
    ))
}

fn anonymous(tenant: TenantId) -> Actor {
    of(tenant, Principal::Anonymous, PermissionSet::none())
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

fn describe(app: &App, parts: &Parts, actor: &mut Actor) {
    actor.ip = client_ip(parts, &app.config.http);
    actor.user_agent = user_agent(&parts.headers);
    actor.request_id = parts.extensions.get::<RequestName>().map(|name| name.0);
}
