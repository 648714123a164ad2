//! What the routes of one group have in common. The router mounts groups; whoever else has to know
//! how a route asks, counts or refuses looks its group up, and never reads it from the path.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::extract::MatchedPath;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    Platform,
    http::{Ask, ErrorFormat},
};

/// Everything that is decided for a group of routes at once.
#[derive(Debug)]
pub struct Group {
    /// Its routes. No path is in two groups.
    pub routes: fn() -> OpenApiRouter<Platform>,
    /// How it finds out who asks; `None`: it is open to everybody and nobody is asked.
    pub authentication: Option<Authentication>,
    /// How it refuses.
    pub errors: ErrorFormat,
    /// Whether a POST with an `Idempotency-Key` happens once.
    pub takes_idempotency_key: bool,
    /// Which slots it takes, and whose budget it is paid from.
    pub ask: Ask,
    /// Which pages may call it.
    pub origins: AllowedOrigins,
    /// How long a request may wait for something to happen, beside the time for its work.
    pub may_wait: Duration,
    /// Whether query parameters that an operation does not know are passed over instead of refused.
    pub ignores_unknown_parameters: bool,
}

/// How a group finds out who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// An API key must come along, or an access token for the management API; the tenant is theirs,
    /// unless the request names another one that the person administers.
    Management,
    /// Under an issuer, where people see to their own: the path names the tenant, and a token or
    /// key of another one is worth nothing.
    Person,
    /// Under an issuer, OAuth's own: it refuses credentials in its own form (RFC 6749 §5.2), and
    /// here whoever sends bad ones is nobody.
    OAuthClient,
    /// Under an issuer, where people come in: nobody is anybody yet, whatever they send.
    Anonymous,
}

/// Which pages in a browser may call a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// No page: browsers are not told that they may.
    None,
    /// Those of the origins that the tenant in the path allows.
    OfTenant,
    /// Every page: what is there is public.
    Any,
}

impl Group {
    /// Whether it is open to API keys. Elsewhere nobody looks whether one is still good, so it buys
    /// nothing there.
    pub fn takes_api_keys(&self) -> bool {
        matches!(
            self.authentication,
            Some(Authentication::Management | Authentication::OAuthClient)
        )
    }
}

/// The group of every route that is in one. Probes and pages about the API are in none.
#[derive(Debug, Clone, Default)]
pub struct Groups(Arc<BTreeMap<String, &'static Group>>);

impl Groups {
    /// The group of a route, by its path as it was mounted.
    pub fn at(&self, path: &str) -> Option<&'static Group> {
        self.0.get(path).copied()
    }

    /// The group of the route that a request came to.
    pub fn of(&self, route: Option<&MatchedPath>) -> Option<&'static Group> {
        self.at(route?.as_str())
    }
}

impl FromIterator<(String, &'static Group)> for Groups {
    fn from_iter<I: IntoIterator<Item = (String, &'static Group)>>(routes: I) -> Self {
        Self(Arc::new(routes.into_iter().collect()))
    }
}
