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
use plinto_contract::{
    headers::MANAGED_TENANT,
    ids::TenantId,
    problem::{Code, FieldError},
};
use plinto_identity::sessions;
use plinto_platform::{
    Platform,
    actor::{Actor, PermissionSet, Principal},
    http::{
        ApiError, Authentication,
        actor::{bearer, client_ip, user_agent},
        layers::RequestName,
    },
    secret::Secret,
};
use plinto_tenancy::{
    api_keys,
    tenants::{self, Tenant, TenantsError},
};

/// Lets a request go on with the actor who asks.
pub async fn authenticate(
    State((platform, how)): State<(Platform, Authentication)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let actor = match how {
        Authentication::Management => of_management(&platform, &parts).await,
        Authentication::Person => of_person(&platform, &parts).await,
        Authentication::OAuthClient => of_oauth_client(&platform, &parts).await,
        Authentication::Anonymous => of_anonymous(&platform, &parts).await,
    };
    go_on(&platform, actor, (parts, body), next).await
}

async fn of_management(platform: &Platform, parts: &Parts) -> Result<Actor, ApiError> {
    let token = bearer(&parts.headers)?.ok_or_else(|| {
        ApiError::new(
            Code::AuthenticationRequired,
            "send an API key, or an access token for the management API, as `Authorization: Bearer …`",
        )
    })?;
    let slug = managed_tenant(&parts.headers)?;
    if token.expose().starts_with(api_keys::PREFIX) {
        let actor = of_api_key(platform, &token).await?;
        return require_own_tenant(platform, actor, slug).await;
    }
    let known = sessions::authenticate_for_management(platform, token.expose(), slug).await?;
    Ok(of(known.tenant, known.principal, known.permissions))
}

/// The tenant that a request names, by its slug.
/// Errors: a header that is there twice or is no text.
fn managed_tenant(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut values = headers.get_all(MANAGED_TENANT).iter();
    let text = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    text.map(Some).ok_or_else(|| {
        let detail = "name one tenant by its slug";
        let error = FieldError::new(format!("#{MANAGED_TENANT}"), "invalid_value", detail);
        ApiError::fields(Code::ValidationFailed, vec![error])
    })
}

/// Errors: `permission_denied` when the request names another tenant than the key's.
async fn require_own_tenant(
    platform: &Platform,
    actor: Actor,
    slug: Option<&str>,
) -> Result<Actor, ApiError> {
    let Some(slug) = slug else {
        return Ok(actor);
    };
    match tenants::by_slug(platform, slug).await {
        Ok(tenant) if tenant.id == actor.tenant => Ok(actor),
        Ok(_) | Err(TenantsError::NotFound) => {
            let detail = "an API key is good for its own tenant only";
            Err(ApiError::new(Code::PermissionDenied, detail))
        }
        Err(error) => Err(error.into()),
    }
}

async fn of_person(platform: &Platform, parts: &Parts) -> Result<Actor, ApiError> {
    let tenant = tenant(platform, &parts.uri).await?;
    of_credential(platform, &tenant, &parts.headers).await
}

async fn of_oauth_client(platform: &Platform, parts: &Parts) -> Result<Actor, ApiError> {
    let tenant = tenant(platform, &parts.uri).await?;
    match of_credential(platform, &tenant, &parts.headers).await {
        Err(error) if error.code().status() == 401 => {
            let code = error.code().as_str();
            tracing::info!(code, "credentials were not accepted");
            Ok(anonymous(tenant.id))
        }
        result => result,
    }
}

async fn of_anonymous(platform: &Platform, parts: &Parts) -> Result<Actor, ApiError> {
    let tenant = tenant(platform, &parts.uri).await?;
    Ok(anonymous(tenant.id))
}

async fn go_on(
    platform: &Platform,
    actor: Result<Actor, ApiError>,
    (mut parts, body): (Parts, Body),
    next: Next,
) -> Response {
    match actor {
        Ok(mut actor) => {
            describe(platform, &parts, &mut actor);
            parts.extensions.insert(actor);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}

async fn tenant(platform: &Platform, uri: &Uri) -> Result<Tenant, ApiError> {
    Ok(tenants::by_slug(platform, slug(uri).unwrap_or_default()).await?)
}

/// `/t/{slug}/…`
pub fn slug(uri: &Uri) -> Option<&str> {
    uri.path().strip_prefix("/t/")?.split('/').next()
}

/// A person's access token or a machine's API key, of this tenant; without one, nobody.
async fn of_credential(
    platform: &Platform,
    tenant: &Tenant,
    headers: &HeaderMap,
) -> Result<Actor, ApiError> {
    let Some(token) = bearer(headers)? else {
        return Ok(anonymous(tenant.id));
    };
    if token.expose().starts_with(api_keys::PREFIX) {
        let actor = of_api_key(platform, &token).await?;
        if actor.tenant != tenant.id {
            return Err(ApiError::new(
                Code::ApiKeyInvalid,
                Code::ApiKeyInvalid.title(),
            ));
        }
        return Ok(actor);
    }
    let principal = sessions::authenticate(platform, tenant, token.expose()).await?;
    // What people may do to their own things needs no permission; nothing else is theirs to do.
    Ok(of(tenant.id, principal, PermissionSet::none()))
}

async fn of_api_key(platform: &Platform, token: &Secret) -> Result<Actor, ApiError> {
    let known = api_keys::authenticate(platform, token.expose()).await?;
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

fn describe(platform: &Platform, parts: &Parts, actor: &mut Actor) {
    actor.ip = client_ip(parts, &platform.config.http);
    actor.user_agent = user_agent(&parts.headers);
    actor.request_id = parts.extensions.get::<RequestName>().map(|name| name.0);
}
