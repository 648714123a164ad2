//! `/v1/tenant`.

use axum::extract::State;
use plinto_contract::time::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{model::Tenant, service};
use crate::{
    actor::Actor,
    app::App,
    http::{ApiError, Json},
};

/// Doors of the management API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_tenant))
        .routes(routes!(revoke_tenant_tokens))
}

/// An isolation boundary.
#[derive(Debug, Serialize, ToSchema)]
struct TenantBody {
    #[schema(value_type = String, example = "tenant_01h455vb4pex5vsknk084sn02q")]
    id: plinto_contract::ids::TenantId,
    slug: String,
    name: String,
    issuer: String,
    audience: String,
    #[schema(value_type = String, example = "RS256")]
    signing_alg: &'static str,
    #[schema(value_type = String, format = "date-time")]
    tokens_issued_before: UnixMillis,
    #[schema(value_type = String, format = "date-time")]
    created_at: UnixMillis,
    #[schema(value_type = String, format = "date-time")]
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
            tokens_issued_before: tenant.tokens_issued_before,
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

/// Refuse every access token issued so far
#[utoipa::path(post, path = "/v1/tenant/revoke_tokens", tag = "tenants", responses((status = 200, body = TenantBody)))]
async fn revoke_tenant_tokens(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<TenantBody>, ApiError> {
    let tenant = service::revoke_tokens(&app, &actor).await?;
    Ok(Json(TenantBody::of(&app, tenant)))
}
