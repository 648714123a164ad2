//! `/oauth/token`, `/oauth/introspect`, `/oauth/revoke` under each issuer.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use plinto_contract::claims::AccessToken;
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{ApiError, ErrorBody, input::too_large},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{error::OAuthError, model::Form, service};
use crate::sessions::{
    Introspection,
    rest::{TokensBody, not_stored},
};

/// Routes under an issuer.
pub fn issuer_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(token))
        .routes(routes!(introspect))
        .routes(routes!(revoke))
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let media_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let text = "the body must be `application/x-www-form-urlencoded`";
            return Err(OAuthError::InvalidRequest(text.to_owned()).into());
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(too_large)?;
        Ok(Self::parse(&body).map_err(OAuthError::from)?)
    }
}

/// What the token endpoint reads.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the form is read as RFC 6749 says"
)]
struct TokenForm {
    #[schema(pattern = "^refresh_token$", example = "refresh_token")]
    grant_type: String,
    #[schema(min_length = 1)]
    refresh_token: String,
    /// Default `plinto`.
    client_id: Option<String>,
    /// The API that the access token shall be for (RFC 8707): the one that the session is for.
    resource: Option<String>,
}

/// What introspection and revocation read.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the form is read as RFC 6749 says"
)]
struct TokenToLookAt {
    #[schema(min_length = 1)]
    token: String,
    token_type_hint: Option<String>,
    /// For revocation: whose token it is. Default `plinto`.
    client_id: Option<String>,
}

/// Exchange a refresh token for a new pair of tokens
///
/// RFC 6749 §6. A refresh token is good once: sent again after its grace of seconds, it ends the
/// session.
#[utoipa::path(
    post, path = "/t/{tenant}/oauth/token", tag = "oauth", params(("tenant" = String, Path)),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokensBody), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody))
)]
async fn token(
    State(platform): State<Platform>,
    actor: Actor,
    form: Form,
) -> Result<Response, ApiError> {
    let tokens = service::token(&platform, &actor, &form).await?;
    Ok(not_stored(StatusCode::OK, TokensBody::from(tokens)))
}

/// What is known of a token. Source: RFC 7662 §2.2.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum IntrospectionBody {
    /// Nothing.
    Inactive {
        /// `false`
        active: bool,
    },
    /// An access token.
    Access {
        active: bool,
        token_type: &'static str,
        #[serde(flatten)]
        #[schema(value_type = Object)]
        claims: AccessToken,
    },
    /// A refresh token.
    Refresh {
        active: bool,
        iss: String,
        sub: String,
        client_id: String,
        sid: String,
        tenant: String,
        iat: i64,
        exp: i64,
    },
}

impl From<Introspection> for IntrospectionBody {
    fn from(introspection: Introspection) -> Self {
        match introspection {
            Introspection::Inactive => Self::Inactive { active: false },
            Introspection::Access(claims) => Self::Access {
                active: true,
                token_type: "Bearer",
                claims,
            },
            Introspection::Refresh {
                session,
                issuer,
                issued_at,
                expires_at,
            } => Self::Refresh {
                active: true,
                iss: issuer,
                sub: session.user.to_string(),
                client_id: session.client_id,
                sid: session.id.to_string(),
                tenant: session.tenant.to_string(),
                iat: issued_at.to_seconds().0,
                exp: expires_at.to_seconds().0,
            },
        }
    }
}

/// Ask whether a token is good; needs an API key
///
/// RFC 7662. An access token or a refresh token of this tenant; anything else is `{"active":
/// false}`. Needs the permission `tokens:introspect`.
#[utoipa::path(
    post, path = "/t/{tenant}/oauth/introspect", tag = "oauth", params(("tenant" = String, Path)),
    security(("api_key" = [])),
    request_body(content = TokenToLookAt, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = IntrospectionBody), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody))
)]
async fn introspect(
    State(platform): State<Platform>,
    actor: Actor,
    form: Form,
) -> Result<Response, ApiError> {
    let introspection = service::introspect(&platform, &actor, &form).await?;
    Ok(not_stored(
        StatusCode::OK,
        IntrospectionBody::from(introspection),
    ))
}

/// Take a token back
///
/// RFC 7009. Ends the session of an access or refresh token; a token that is not known is
/// answered alike.
#[utoipa::path(
    post, path = "/t/{tenant}/oauth/revoke", tag = "oauth", params(("tenant" = String, Path)),
    request_body(content = TokenToLookAt, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
async fn revoke(
    State(platform): State<Platform>,
    actor: Actor,
    form: Form,
) -> Result<Response, ApiError> {
    service::revoke(&platform, &actor, &form).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], StatusCode::OK).into_response())
}
