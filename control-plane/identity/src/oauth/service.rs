//! The verbs behind the OAuth endpoints.

use plinto_platform::{Platform, actor::Actor};

use super::{error::OAuthError, model::Form};
use crate::sessions::{self, Client, Introspection, IssuedTokens, RefreshToken};

/// Exchanges a grant for tokens. One grant is known: `refresh_token`.
/// Source: RFC 6749 §6, RFC 8707 §2.2.
pub(crate) async fn token(
    platform: &Platform,
    actor: &Actor,
    form: &Form,
) -> Result<IssuedTokens, OAuthError> {
    if form.need("grant_type")? != "refresh_token" {
        return Err(OAuthError::UnsupportedGrantType);
    }
    let presented = form.need("refresh_token")?;
    let client = client(form)?;
    let presented = RefreshToken::parse(presented).ok_or(OAuthError::InvalidGrant)?;
    Ok(sessions::refresh(platform, actor, &client, &presented, form.get("resource")).await?)
}

/// Tells a resource server about a token. `token_type_hint` is not needed: our tokens tell
/// themselves apart. Source: RFC 7662 §2.1.
pub(crate) async fn introspect(
    platform: &Platform,
    actor: &Actor,
    form: &Form,
) -> Result<Introspection, OAuthError> {
    Ok(sessions::introspect(platform, actor, form.need("token")?).await?)
}

/// Takes a token back. Source: RFC 7009 §2.1.
pub(crate) async fn revoke(
    platform: &Platform,
    actor: &Actor,
    form: &Form,
) -> Result<(), OAuthError> {
    let token = form.need("token")?;
    Ok(sessions::revoke_token(platform, actor, &client(form)?, token).await?)
}

fn client(form: &Form) -> Result<Client, OAuthError> {
    match form.get("client_id") {
        None => Ok(Client::default()),
        Some(text) => Client::parse(text).ok_or(OAuthError::InvalidClient),
    }
}
