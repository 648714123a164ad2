//! `/v1/api_keys`.

use axum::{extract::State, http::StatusCode};
use plinto_contract::{ids::ApiKeyId, problem::Code, time::UnixMillis};
use plinto_platform::{
    Platform,
    actor::{Actor, PermissionSet},
    http::{ApiError, Json, List, Page, Path, page::PageQuery, schemas},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{ApiKey, CreateApiKey},
    service,
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(create_api_key, list_api_keys))
        .routes(routes!(get_api_key))
        .routes(routes!(revoke_api_key))
}

/// A machine's credential.
#[derive(Debug, Serialize, ToSchema)]
struct ApiKeyBody {
    #[schema(example = "api_key")]
    object: &'static str,
    #[schema(value_type = schemas::ApiKeyId)]
    id: ApiKeyId,
    name: String,
    /// The end of the secret, to tell keys apart.
    last_four: String,
    #[schema(value_type = Vec<schemas::Permission>)]
    permissions: Vec<&'static str>,
    /// A user's or key's id, or `system`.
    created_by: String,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = Option<schemas::Moment>)]
    expires_at: Option<UnixMillis>,
    /// To the minute.
    #[schema(value_type = Option<schemas::Moment>)]
    last_used_at: Option<UnixMillis>,
    #[schema(value_type = Option<schemas::Moment>)]
    revoked_at: Option<UnixMillis>,
}

impl From<ApiKey> for ApiKeyBody {
    fn from(key: ApiKey) -> Self {
        Self {
            object: "api_key",
            id: key.id,
            name: key.name,
            last_four: key.last_four,
            permissions: key.permissions.names(),
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
struct CreatedApiKeyBody {
    #[serde(flatten)]
    key: ApiKeyBody,
    /// Send it as `Authorization: Bearer`.
    #[schema(example = "plinto_sk_…")]
    secret: String,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Nightly build", "permissions": ["policies:read", "policies:publish"]
}))]
struct CreateApiKeyBody {
    #[schema(value_type = schemas::Name)]
    name: String,
    /// None that the caller does not have.
    #[schema(value_type = Vec<schemas::Permission>, min_items = 1)]
    permissions: Vec<String>,
    /// When left out: with the key that makes it, or never if that never does. Not later.
    #[schema(value_type = Option<schemas::Moment>)]
    expires_at: Option<UnixMillis>,
}

/// Create an API key
///
/// The secret is in this answer and in no other. A key never gets what its maker does not have.
/// Needs the permission `api_keys:write`.
#[utoipa::path(post, path = "/v1/api_keys", tag = "api_keys", request_body = CreateApiKeyBody,
    responses((status = 201, body = CreatedApiKeyBody)))]
async fn create_api_key(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<CreateApiKeyBody>,
) -> Result<(StatusCode, Json<CreatedApiKeyBody>), ApiError> {
    let input = CreateApiKey {
        name: body.name,
        permissions: PermissionSet::read(&body.permissions, "/permissions")
            .map_err(|errors| ApiError::fields(Code::ValidationFailed, errors))?,
        expires_at: body.expires_at,
    };
    let (key, secret) = service::create(&platform, &actor, input).await?;
    let body = CreatedApiKeyBody {
        key: key.into(),
        secret: secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// List API keys, without their secrets
///
/// In the order they were made, revoked ones too. Needs the permission `api_keys:read`.
#[utoipa::path(get, path = "/v1/api_keys", tag = "api_keys", params(PageQuery),
    responses((status = 200, body = List<ApiKeyBody>)))]
async fn list_api_keys(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<ApiKeyBody>>, ApiError> {
    let keys = service::list(&platform, &actor, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(keys, |key| key.id.to_string())))
}

/// Get an API key, without its secret
///
/// Needs the permission `api_keys:read`.
#[utoipa::path(get, path = "/v1/api_keys/{api_key_id}", tag = "api_keys",
    params(("api_key_id" = String, Path)), responses((status = 200, body = ApiKeyBody)))]
async fn get_api_key(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<ApiKeyId>,
) -> Result<Json<ApiKeyBody>, ApiError> {
    let key = service::get(&platform, &actor, id).await?;
    Ok(Json(key.into()))
}

/// Revoke an API key at once
///
/// Requests with it are refused from then on. Needs the permission `api_keys:write`, and every
/// permission that the key has.
#[utoipa::path(post, path = "/v1/api_keys/{api_key_id}/revoke", tag = "api_keys",
    params(("api_key_id" = String, Path)), responses((status = 200, body = ApiKeyBody)))]
async fn revoke_api_key(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<ApiKeyId>,
) -> Result<Json<ApiKeyBody>, ApiError> {
    let key = service::revoke(&platform, &actor, id).await?;
    Ok(Json(key.into()))
}
