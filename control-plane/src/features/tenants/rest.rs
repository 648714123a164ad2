//! `/v1/tenant`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use plinto_contract::time::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{model::Tenant, service};
use crate::{
    actor::Actor,
    app::App,
    http::{ApiError, CachePolicy, Json, Path, cached, schemas},
};

/// 300 s: as long as the key set that it points to.
const METADATA_MAX_AGE_S: u32 = 300;

/// Doors of the management API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_tenant))
        .routes(routes!(revoke_tenant_sessions))
}

/// Doors of discovery, open to everybody. A client finds them from the issuer alone.
pub fn discovery_routes() -> OpenApiRouter<App> {
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
    /// When all sessions of the tenant last ended at once.
    #[schema(value_type = Option<schemas::Moment>)]
    sessions_ended_at: Option<UnixMillis>,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
}

impl TenantBody {
    fn of(app: &App, tenant: Tenant) -> Self {
        Self {
            id: tenant.id,
            issuer: app.config.issuer(&tenant.slug),
            slug: tenant.slug,
            name: tenant.name,
            audience: tenant.audience,
            signing_alg: tenant.signing_alg.as_str(),
            sessions_ended_at: tenant.sessions_ended_at,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}

/// The tenant that the API key belongs to
#[utoipa::path(get, path = "/v1/tenant", tag = "tenants", responses((status = 200, body = TenantBody)))]
async fn get_tenant(State(app): State<App>, actor: Actor) -> Result<Json<TenantBody>, ApiError> {
    let tenant = service::get(&app, &actor).await?;
    Ok(Json(TenantBody::of(&app, tenant)))
}

/// End all sessions of the tenant
///
/// Refresh tokens are dead at once, access tokens at the edge within about a second. API keys go on.
#[utoipa::path(post, path = "/v1/tenant/revoke_sessions", tag = "tenants", responses((status = 204)))]
async fn revoke_tenant_sessions(
    State(app): State<App>,
    actor: Actor,
) -> Result<StatusCode, ApiError> {
    service::end_sessions(&app, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The issuer's metadata, at the address OpenID Connect Discovery §4 gives
#[utoipa::path(get, path = "/t/{tenant}/.well-known/openid-configuration", tag = "discovery",
    params(("tenant" = String, Path)), responses((status = 200, description = "RFC 8414 §3.2")))]
async fn get_openid_configuration(
    state: State<App>,
    slug: Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    metadata(state, slug, headers).await
}

/// The same with the issuer's path at the end
#[utoipa::path(get, path = "/.well-known/openid-configuration/t/{tenant}", tag = "discovery",
    params(("tenant" = String, Path)), responses((status = 200, description = "RFC 8414 §3.2")))]
async fn get_openid_configuration_inserted(
    state: State<App>,
    slug: Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    metadata(state, slug, headers).await
}

/// The issuer's metadata, at the address RFC 8414 §3.1 gives
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server/t/{tenant}", tag = "discovery",
    params(("tenant" = String, Path)), responses((status = 200, description = "RFC 8414 §3.2")))]
async fn get_authorization_server_metadata(
    state: State<App>,
    slug: Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    metadata(state, slug, headers).await
}

async fn metadata(
    State(app): State<App>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let tenant = service::by_slug(&app, &slug).await?;
    let issuer = app.config.issuer(&tenant.slug);
    let document = tenant.metadata(&issuer).to_string();
    let policy = CachePolicy::Public {
        max_age_s: METADATA_MAX_AGE_S,
    };
    Ok(cached(&headers, "application/json", document, None, policy))
}
