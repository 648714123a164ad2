//! `/v1/tenant`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use plinto_contract::time::UnixMillis;
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{ApiError, CachePolicy, Json, Path, aged, cached, schemas, version},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Change, SignUpMode, Tenant, UpdateTenant},
    service,
};

/// 300 s: as long as the key set that it points to.
const METADATA_MAX_AGE_S: u32 = 300;

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(get_tenant, update_tenant))
        .routes(routes!(revoke_tenant_sessions))
}

/// Routes of discovery, open to everybody. A client finds them from the issuer alone.
pub fn discovery_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(get_openid_configuration))
        .routes(routes!(get_openid_configuration_inserted))
        .routes(routes!(get_authorization_server_metadata))
}

/// An isolation boundary.
#[derive(Debug, Serialize, ToSchema)]
struct TenantBody {
    #[schema(value_type = schemas::TenantId)]
    id: plinto_contract::ids::TenantId,
    slug: String,
    name: String,
    issuer: String,
    audience: String,
    #[schema(value_type = String, example = "RS256")]
    signing_alg: &'static str,
    /// Who may sign up.
    sign_up: SignUpMode,
    /// Origins whose pages may call the tenant's endpoints (CORS).
    #[schema(value_type = Vec<schemas::Origin>)]
    allowed_origins: Vec<String>,
    /// Names under which software asks for tokens. Software that gives none is `plinto`.
    #[schema(value_type = Vec<schemas::ClientId>)]
    client_ids: Vec<String>,
    /// A session ends when it is not refreshed for this long, seconds; `null`: the server's own.
    session_idle_s: Option<i64>,
    /// A session ends after this long whatever happens, seconds; `null`: the server's own.
    session_absolute_s: Option<i64>,
    /// When all sessions of the tenant last ended at once.
    #[schema(value_type = Option<schemas::Moment>)]
    sessions_ended_at: Option<UnixMillis>,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
}

impl TenantBody {
    fn of(platform: &Platform, tenant: Tenant) -> Self {
        Self {
            id: tenant.id,
            issuer: platform.config.issuer(&tenant.slug),
            slug: tenant.slug,
            name: tenant.name,
            audience: tenant.audience,
            signing_alg: tenant.signing_alg.as_str(),
            sign_up: tenant.sign_up,
            allowed_origins: tenant.allowed_origins,
            client_ids: tenant.client_ids,
            session_idle_s: tenant.session_idle_s,
            session_absolute_s: tenant.session_absolute_s,
            sessions_ended_at: tenant.sessions_ended_at,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}

/// The tenant that the API key belongs to
///
/// Needs the permission `tenant:read`.
#[utoipa::path(get, path = "/v1/tenant", tag = "tenants", responses((status = 200, body = TenantBody)))]
async fn get_tenant(
    State(platform): State<Platform>,
    actor: Actor,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let tenant = service::get(&platform, &actor).await?;
    version::read(&headers, tenant.version, &TenantBody::of(&platform, tenant))
}

/// What shall change of a tenant; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTenantBody {
    #[schema(value_type = Option<schemas::PersonName>)]
    name: Option<String>,
    /// `aud` of the access tokens that are issued from now on. Earlier ones keep theirs until they
    /// expire.
    #[schema(value_type = Option<schemas::Audience>)]
    audience: Option<String>,
    sign_up: Option<SignUpMode>,
    /// Replaces the whole list, 64 at most. Each as browsers send it; `http` on this machine only.
    #[schema(value_type = Option<Vec<schemas::Origin>>, max_items = 64)]
    allowed_origins: Option<Vec<String>>,
    /// Replaces the whole list. A name that is taken away gets no more tokens.
    #[schema(value_type = Option<Vec<schemas::ClientId>>, min_items = 1, max_items = 64)]
    client_ids: Option<Vec<String>>,
    /// `null` for the server's own. Holds from each session's next refresh on; not longer than
    /// `session_absolute_s`.
    #[serde(default, deserialize_with = "change")]
    #[schema(value_type = Option<i64>, minimum = 60, maximum = 315_360_000)]
    session_idle_s: Change<i64>,
    /// `null` for the server's own. Holds for sessions that begin from now on.
    #[serde(default, deserialize_with = "change")]
    #[schema(value_type = Option<i64>, minimum = 60, maximum = 315_360_000)]
    session_absolute_s: Change<i64>,
}

/// Tells `null` from a value that is left out.
fn change<'de, D, T>(deserializer: D) -> Result<Change<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Change::To)
}

impl From<UpdateTenantBody> for UpdateTenant {
    fn from(body: UpdateTenantBody) -> Self {
        Self {
            name: body.name,
            audience: body.audience,
            sign_up: body.sign_up,
            allowed_origins: body.allowed_origins,
            client_ids: body.client_ids,
            session_idle_s: body.session_idle_s,
            session_absolute_s: body.session_absolute_s,
        }
    }
}

/// Change the tenant's settings
///
/// Every process follows within a second.
/// Needs the permission `tenant:write`.
#[utoipa::path(patch, path = "/v1/tenant", tag = "tenants",
    params(("if-match" = String, Header, description = "ETag of the version that you have seen")),
    request_body = UpdateTenantBody, responses((status = 200, body = TenantBody)))]
async fn update_tenant(
    State(platform): State<Platform>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<UpdateTenantBody>,
) -> Result<Response, ApiError> {
    let version = version::required(&headers)?;
    let tenant = service::update(&platform, &actor, version, body.into()).await?;
    let (version, body) = (tenant.version, TenantBody::of(&platform, tenant));
    Ok(version::written(StatusCode::OK, version, body))
}

/// End all sessions of the tenant
///
/// Refresh tokens are dead at once, access tokens at the edge within about a second. API keys go on.
/// Needs the permission `tenant:write`.
#[utoipa::path(post, path = "/v1/tenant/revoke_sessions", tag = "tenants", responses((status = 204)))]
async fn revoke_tenant_sessions(
    State(platform): State<Platform>,
    actor: Actor,
) -> Result<StatusCode, ApiError> {
    service::end_sessions(&platform, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The issuer's metadata, at the address OpenID Connect Discovery §4 gives
///
/// Only what is there is named: there is no authorization endpoint, hence no response types and
/// no ID tokens.
#[utoipa::path(get, path = "/t/{tenant}/.well-known/openid-configuration", tag = "discovery",
    params(("tenant" = String, Path)), responses((status = 200, description = "RFC 8414 §3.2"),
        (status = 304)))]
async fn get_openid_configuration(
    state: State<Platform>,
    slug: Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    metadata(state, slug, headers).await
}

/// The same with the issuer's path at the end
///
/// For clients that put the well-known path before the issuer's.
#[utoipa::path(get, path = "/.well-known/openid-configuration/t/{tenant}", tag = "discovery",
    params(("tenant" = String, Path)), responses((status = 200, description = "RFC 8414 §3.2"),
        (status = 304)))]
async fn get_openid_configuration_inserted(
    state: State<Platform>,
    slug: Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    metadata(state, slug, headers).await
}

/// The issuer's metadata, at the address RFC 8414 §3.1 gives
///
/// The same document, for clients that speak OAuth without OpenID Connect.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server/t/{tenant}", tag = "discovery",
    params(("tenant" = String, Path)), responses((status = 200, description = "RFC 8414 §3.2"),
        (status = 304)))]
async fn get_authorization_server_metadata(
    state: State<Platform>,
    slug: Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    metadata(state, slug, headers).await
}

async fn metadata(
    State(platform): State<Platform>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let found = service::published(&platform, &slug).await?;
    let issuer = platform.config.issuer(&found.value.slug);
    let document = found.value.metadata(&issuer).to_string();
    let policy = CachePolicy::Public {
        max_age_s: METADATA_MAX_AGE_S,
    };
    let answer = cached(&headers, "application/json", document, None, policy);
    Ok(aged(answer, found.age_s))
}
