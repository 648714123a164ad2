//! Makes a tenant with its keys, for the first start of an installation.

use plinto_contract::ids::TenantId;
use plinto_jose::Algorithm;
use serde::Serialize;

use crate::{
    actor::Actor,
    app::App,
    features::{signing_keys, tenants},
};

/// What to make.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The tenant's name in URLs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// `aud` of its access tokens.
    pub audience: String,
    /// `RS256`, `ES256` or `EdDSA`.
    pub signing_alg: Algorithm,
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Bootstrapped {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name in URLs.
    pub slug: String,
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` of its tokens.
    pub audience: String,
}

/// Makes a tenant and its signing keys in one transaction.
pub async fn bootstrap(app: &App, input: Bootstrap) -> anyhow::Result<Bootstrapped> {
    let id: TenantId = app.random.id(app.clock.now());
    let actor = Actor::system(id);
    let keys = signing_keys::prepare(input.signing_alg).await?;
    let mut tx = app.db.begin().await?;
    let input = tenants::CreateTenant {
        slug: input.slug,
        name: input.name,
        audience: input.audience,
        signing_alg: input.signing_alg,
    };
    let tenant = tenants::create(&mut tx, app, &actor, input).await?;
    signing_keys::provision(&mut tx, app, &actor, keys).await?;
    tx.commit().await?;
    Ok(Bootstrapped {
        tenant: tenant.id,
        issuer: app.config.issuer(&tenant.slug),
        slug: tenant.slug,
        audience: tenant.audience,
    })
}
