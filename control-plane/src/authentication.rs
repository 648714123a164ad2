//! Finds out who asks, in the way that a group of routes has chosen.
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
        ApiError, Authentication,
        actor::{bearer, client_ip, user_agent},
        layers::RequestName,
    },
    secret::Secret,
};

/// Lets a request go on with the actor who asks.
pub async fn authenticate(
    State((app, how)): State<(App, Authentication)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let actor = match how {
        Authentication::ApiKey => of_machine(&app, &parts).await,
        Authentication::Person => of_person(&app, &parts).await,
        Authentication::OAuthClient => of_oauth_client(&app, &parts).await,
        Authentication::Anonymous => of_anonymous(&app, &parts).await,
    };
    go_on(&app, actor, (parts, body), next).await
}

async fn of_machine(app: &App, parts: &Parts) -> Result<Actor, ApiError> {
    match bearer(&parts.headers)? {
        Some(token) => of_api_key(app, &token).await,
        None => Err(ApiError::new(
            Code::AuthenticationRequired,
            "send an API key as `Authorization: Bearer plinto_sk_…`",
        )),
    }
}

async fn of_person(app: &App, parts: &Parts) -> Result<Actor, ApiError> {
    let tenant = tenant(app, &parts.uri).await?;
    of_credential(app, &tenant, &parts.headers).await
}

async fn of_oauth_client(app: &App, parts: &Parts) -> Result<Actor, ApiError> {
    let tenant = tenant(app, &parts.uri).await?;
    match of_credential(app, &tenant, &parts.headers).await {
        Err(error) if error.code().status() == 401 => {
            let code = error.code().as_str();
            tracing::info!(code, "credentials were not accepted");
            Ok(anonymous(tenant.id))
        }
        result => result,
    }
}

async fn of_anonymous(app: &App, parts: &Parts) -> Result<Actor, ApiError> {
    let tenant = tenant(app, &parts.uri).await?;
    Ok(anonymous(tenant.id))
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
