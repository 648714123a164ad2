//! Makes a tenant with its keys, first roles and an administrator's API key, for the first start of
//! an installation; and another such key, for a tenant whose own are lost.

use plinto_contract::{ids::TenantId, problem::FieldError};
use plinto_directory::roles;
use plinto_jose::Algorithm;
use plinto_platform::{
    Platform,
    actor::{Actor, PermissionSet},
    authority::{self, Need},
};
use plinto_tenancy::{
    api_keys::{self, ApiKeySecret, CreateApiKey},
    signing_keys, tenants,
};
use serde::{Serialize, Serializer};

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

impl Bootstrap {
    /// The values that cannot be; `/slug`, `/name`, `/audience` and `/signing_alg` name them.
    pub fn faults(&self) -> Vec<FieldError> {
        self.tenant().faults()
    }

    fn tenant(&self) -> tenants::CreateTenant {
        tenants::CreateTenant {
            slug: self.slug.clone(),
            name: self.name.clone(),
            audience: self.audience.clone(),
            signing_alg: self.signing_alg,
        }
    }
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Bootstrapped {
    /// Names the tenant in tokens.
    pub tenant: TenantId,
    /// Its name in URLs.
    pub slug: String,
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` of its tokens.
    pub audience: String,
    /// An API key that may do everything in the tenant. Shown this once.
    #[serde(serialize_with = "in_clear")]
    pub api_key: ApiKeySecret,
}

fn in_clear<S: Serializer>(secret: &ApiKeySecret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// Makes a tenant, its signing keys, roles and first API key in one transaction.
pub async fn bootstrap(platform: &Platform, input: Bootstrap) -> anyhow::Result<Bootstrapped> {
    let id: TenantId = platform.random.id(platform.clock.now());
    let actor = Actor::system(id);
    let keys = signing_keys::prepare(input.signing_alg).await?;
    let mut work = authority::begin(platform, &actor, Need::Live).await?;
    let tenant = tenants::create(&mut work, input.tenant()).await?;
    signing_keys::provision(&mut work, keys).await?;
    roles::seed(&mut work).await?;
    let (_, api_key) = api_keys::issue(&mut work, administrator()).await?;
    work.commit().await?;
    Ok(Bootstrapped {
        api_key,
        tenant: tenant.id,
        issuer: platform.config.issuer(&tenant.slug),
        slug: tenant.slug,
        audience: tenant.audience,
    })
}

/// Another API key of a tenant's that may do everything in it.
#[derive(Debug, Serialize)]
pub struct AnotherKey {
    /// Whose key it is.
    pub tenant: TenantId,
    /// Shown this once.
    #[serde(serialize_with = "in_clear")]
    pub api_key: ApiKeySecret,
}

/// Makes an administrator's API key for a tenant that has none left: all are lost or revoked.
pub async fn another_key(platform: &Platform, slug: &str) -> anyhow::Result<AnotherKey> {
    let tenant = tenants::by_slug(platform, slug).await?.id;
    let actor = Actor::system(tenant);
    let mut work = authority::begin(platform, &actor, Need::Live).await?;
    let (_, api_key) = api_keys::issue(&mut work, administrator()).await?;
    work.commit().await?;
    Ok(AnotherKey { tenant, api_key })
}

fn administrator() -> CreateApiKey {
    CreateApiKey {
        name: "Administrator".to_owned(),
        permissions: PermissionSet::all(),
        expires_at: None,
    }
}
