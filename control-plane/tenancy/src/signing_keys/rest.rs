//! `/v1/signing_keys`, and the published sets under each issuer.

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};
use plinto_contract::{ids::SigningKeyId, limits::JWKS_MAX_AGE_S, time::UnixMillis};
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{ApiError, CachePolicy, Json, List, Path, aged, cached, schemas},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Purpose, SigningKeyRecord},
    service::{self, withdraw::withdraw},
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list_signing_keys))
        .routes(routes!(rotate_signing_key))
        .routes(routes!(withdraw_signing_key))
}

/// Routes under an issuer, open to everybody.
pub fn public_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(get_jwks))
        .routes(routes!(get_edge_keys))
}

/// A key without its private part.
#[derive(Debug, Serialize, ToSchema)]
struct SigningKeyBody {
    #[schema(value_type = schemas::SigningKeyId)]
    id: SigningKeyId,
    #[schema(value_type = String, example = "token")]
    purpose: &'static str,
    #[schema(value_type = String, example = "RS256")]
    alg: &'static str,
    kid: String,
    #[schema(value_type = String, example = "active")]
    state: &'static str,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    usable_at: UnixMillis,
    #[schema(value_type = Option<schemas::Moment>)]
    activated_at: Option<UnixMillis>,
    #[schema(value_type = Option<schemas::Moment>)]
    retires_at: Option<UnixMillis>,
    /// When it was ended before its time.
    #[schema(value_type = Option<schemas::Moment>)]
    withdrawn_at: Option<UnixMillis>,
}

impl From<SigningKeyRecord> for SigningKeyBody {
    fn from(key: SigningKeyRecord) -> Self {
        Self {
            id: key.id,
            purpose: key.purpose.as_str(),
            alg: key.algorithm.as_str(),
            kid: key.kid,
            state: key.state.as_str(),
            created_at: key.created_at,
            usable_at: key.usable_at,
            activated_at: key.activated_at,
            retires_at: key.retires_at,
            withdrawn_at: key.withdrawn_at,
        }
    }
}

/// Which key to rotate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "purpose": "bundle" }))]
struct RotateBody {
    /// What the key signs.
    purpose: PurposeBody,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PurposeBody {
    Token,
    Bundle,
}

/// The tenant's signing keys, newest first
///
/// Withdrawn ones too, without their private parts. Needs the permission `signing_keys:read`.
#[utoipa::path(get, path = "/v1/signing_keys", tag = "signing keys", responses((status = 200, body = List<SigningKeyBody>)))]
async fn list_signing_keys(
    State(platform): State<Platform>,
    actor: Actor,
) -> Result<Json<List<SigningKeyBody>>, ApiError> {
    let keys = service::list(&platform, &actor).await?;
    Ok(Json(List::whole(
        keys.into_iter().map(Into::into).collect(),
    )))
}

/// Let the next key sign from now on
///
/// The key before stays published until the last thing it signed has run out. Refused until the
/// next one was published long enough for all to have seen it. Needs the permission
/// `signing_keys:rotate`.
#[utoipa::path(post, path = "/v1/signing_keys/rotate", tag = "signing keys", request_body = RotateBody,
    responses((status = 200, body = List<SigningKeyBody>),
        (status = 409, description = "rotation_in_progress")))]
async fn rotate_signing_key(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<RotateBody>,
) -> Result<Json<List<SigningKeyBody>>, ApiError> {
    let purpose = match body.purpose {
        PurposeBody::Token => Purpose::Token,
        PurposeBody::Bundle => Purpose::Bundle,
    };
    let keys = service::rotate(&platform, &actor, purpose).await?;
    Ok(Json(List::whole(
        keys.into_iter().map(Into::into).collect(),
    )))
}

/// End a signing key at once
///
/// For a key that somebody else may have: it leaves the published set, and what it signed is refused, at
/// the edge within about a second. If it signed, the next key signs instead. Sessions go on. Needs the
/// permission `signing_keys:rotate`.
#[utoipa::path(post, path = "/v1/signing_keys/{signing_key_id}/withdraw", tag = "signing keys",
    params(("signing_key_id" = String, Path)), responses((status = 200, body = SigningKeyBody)))]
async fn withdraw_signing_key(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<SigningKeyId>,
) -> Result<Json<SigningKeyBody>, ApiError> {
    Ok(Json(withdraw(&platform, &actor, id).await?.into()))
}

/// The keys that verify the tenant's tokens
///
/// A JWK Set (RFC 7517). Caches may keep it for seconds.
#[utoipa::path(get, path = "/t/{tenant}/.well-known/jwks.json", tag = "discovery",
    params(("tenant" = String, Path)), responses((status = 200, description = "JWK Set (RFC 7517)"),
        (status = 304)))]
async fn get_jwks(
    State(platform): State<Platform>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    published(&platform, &slug, Purpose::Token, &headers).await
}

/// The keys that verify the tenant's policy bundles and revocation feeds
///
/// A JWK Set (RFC 7517), fetched by edges.
#[utoipa::path(get, path = "/t/{tenant}/edge/keys", tag = "edge",
    params(("tenant" = String, Path)), responses((status = 200, description = "JWK Set (RFC 7517)"),
        (status = 304)))]
async fn get_edge_keys(
    State(platform): State<Platform>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    published(&platform, &slug, Purpose::Bundle, &headers).await
}

async fn published(
    platform: &Platform,
    slug: &str,
    purpose: Purpose,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let found = service::document(platform, slug, purpose).await?;
    let policy = CachePolicy::Public {
        max_age_s: JWKS_MAX_AGE_S,
    };
    let body = Bytes::copy_from_slice(found.value.as_bytes());
    let answer = cached(headers, "application/jwk-set+json", body, None, policy);
    Ok(aged(answer, found.age_s))
}
