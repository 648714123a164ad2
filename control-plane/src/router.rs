//! Mounts every feature's routes in groups. What a group decides for all of its routes stands in
//! `GROUPS` and nowhere else: a new kind of routes is a value more there.

use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Uri, request::Parts},
    middleware,
};
use plinto_contract::problem::Code;
use plinto_history::events::WAIT_MAX;
use plinto_platform::{
    Platform,
    http::{
        AllowedOrigins, ApiError, Ask, Authentication, ErrorFormat, Group, Groups, cors,
        idempotency,
        layers::{self, Budgets},
        problem, query, retry,
        shared::shared,
    },
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    authentication::{self, slug},
    openapi, ops, refusals,
};

static GROUPS: [Group; 7] = [
    MANAGEMENT,
    Group {
        routes: waiting,
        may_wait: WAIT_MAX,
        ..MANAGEMENT
    },
    Group {
        routes: entrance,
        ..UNDER_AN_ISSUER
    },
    Group {
        routes: entrance_once,
        takes_idempotency_key: true,
        ..UNDER_AN_ISSUER
    },
    Group {
        routes: own,
        authentication: Some(Authentication::Person),
        ..UNDER_AN_ISSUER
    },
    Group {
        routes: oauth,
        authentication: Some(Authentication::OAuthClient),
        errors: ErrorFormat::OAuth,
        // "MUST be ignored": RFC 6749 §3.1, §3.2.
        ignores_unknown_parameters: true,
        ..UNDER_AN_ISSUER
    },
    Group {
        routes: documents,
        authentication: None,
        errors: ErrorFormat::Problem,
        takes_idempotency_key: false,
        ask: Ask::Document,
        origins: AllowedOrigins::Any,
        may_wait: Duration::ZERO,
        ignores_unknown_parameters: false,
    },
];

/// `/v1`: for machines with an API key and people with rights.
const MANAGEMENT: Group = Group {
    routes: management,
    authentication: Some(Authentication::Management),
    errors: ErrorFormat::Problem,
    takes_idempotency_key: true,
    ask: Ask::Work,
    origins: AllowedOrigins::None,
    may_wait: Duration::ZERO,
    ignores_unknown_parameters: false,
};

/// What the groups under an issuer, which people use from pages of their tenant, begin with.
const UNDER_AN_ISSUER: Group = Group {
    routes: OpenApiRouter::new,
    authentication: Some(Authentication::Anonymous),
    errors: ErrorFormat::Problem,
    takes_idempotency_key: false,
    ask: Ask::Work,
    origins: AllowedOrigins::OfTenant,
    may_wait: Duration::ZERO,
    ignores_unknown_parameters: false,
};

/// Those of them that are answered when something happens. One line per feature.
fn waiting() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().merge(plinto_history::events::rest::waiting_routes())
}

/// `/v1`: for machines with an API key and people with rights. One line per feature.
fn management() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .merge(plinto_tenancy::tenants::rest::routes())
        .merge(plinto_directory::users::rest::routes())
        .merge(plinto_identity::administrators::rest::routes())
        .merge(plinto_identity::sessions::rest::routes())
        .merge(plinto_identity::sign_in::rest::routes())
        .merge(plinto_tenancy::signing_keys::rest::routes())
        .merge(plinto_directory::roles::rest::routes())
        .merge(plinto_directory::organizations::rest::routes())
        .merge(plinto_tenancy::api_keys::rest::routes())
        .merge(plinto_enforcement::policies::rest::routes())
        .merge(plinto_history::events::rest::routes())
        .merge(plinto_history::audit::rest::routes())
}

/// Under an issuer: where people come in. One line per feature.
fn entrance() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().merge(plinto_identity::sign_in::rest::entrance_routes())
}

/// Those of them that happen once with an `Idempotency-Key`.
fn entrance_once() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().merge(plinto_identity::sign_in::rest::idempotent_routes())
}

/// Under an issuer: for people who have signed in. One line per feature.
fn own() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .merge(plinto_directory::users::rest::issuer_routes())
        .merge(plinto_identity::sessions::rest::issuer_routes())
        .merge(plinto_identity::sign_in::rest::issuer_routes())
}

/// Under an issuer: OAuth's endpoints, with their own form of refusals.
fn oauth() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().merge(plinto_identity::oauth::rest::issuer_routes())
}

/// What an issuer publishes, under its path and beside it. One line per feature.
fn documents() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .merge(plinto_tenancy::tenants::rest::discovery_routes())
        .merge(plinto_tenancy::signing_keys::rest::public_routes())
        .merge(plinto_enforcement::policies::rest::public_routes())
        .merge(plinto_enforcement::revocations::rest::public_routes())
}

/// Everything, wrapped.
pub fn router(platform: &Platform) -> Router {
    let (api, groups) = described();
    let declared = query::Declared::of(&api, &groups);
    grouped(platform)
        .merge(ops::routes(&api))
        .layer(shared())
        .layer(middleware::from_fn_with_state(
            declared,
            query::refuse_unknown,
        ))
        .fallback(not_found)
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(DefaultBodyLimit::max(platform.config.http.body_bytes))
        .layer(middleware::from_fn_with_state(
            (platform.clone(), groups.clone()),
            layers::time_limit,
        ))
        .layer(middleware::from_fn_with_state(
            budgets(platform, &groups),
            layers::rate_limit,
        ))
        .layer(shared())
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::from_fn_with_state(
            (platform.clone(), groups),
            problem::write_problems,
        ))
        .layer(middleware::from_fn_with_state(
            platform.clone(),
            layers::security_headers,
        ))
        .layer(middleware::from_fn_with_state(
            platform.clone(),
            layers::name_and_log,
        ))
        .with_state(platform.clone())
}

/// The `OpenAPI` document, without a running server.
pub fn openapi() -> OpenApi {
    described().0
}

/// The description, and which group each of its paths is in.
fn described() -> (OpenApi, Groups) {
    let mut all = OpenApiRouter::with_openapi(openapi::about());
    let mut paths = Vec::new();
    for group in &GROUPS {
        let routes = (group.routes)();
        let own = routes.get_openapi().paths.paths.keys();
        paths.extend(own.map(|path| (path.clone(), group)));
        all = all.merge(routes);
    }
    let groups = paths.into_iter().collect();
    let api = openapi::complete(all.into_openapi(), &groups);
    (api, groups)
}

fn grouped(platform: &Platform) -> Router<Platform> {
    let groups = GROUPS.iter().map(|group| mount(platform, group));
    groups.fold(Router::new(), Router::merge)
}

fn mount(platform: &Platform, group: &Group) -> Router<Platform> {
    let state = || platform.clone();
    let mut routes = (group.routes)();
    if let Some(how) = group.authentication {
        routes = routes.route_layer(middleware::from_fn(retry::when_lost));
        if group.takes_idempotency_key {
            let once = middleware::from_fn_with_state(state(), idempotency::once);
            routes = routes.route_layer(once);
        }
        if group.takes_api_keys() {
            let refused = middleware::from_fn_with_state(state(), refusals::record);
            routes = routes.route_layer(refused);
        }
        if how == Authentication::Management {
            let large = middleware::from_fn_with_state(state(), layers::large_body);
            routes = routes.route_layer(large);
        }
        routes = routes.route_layer(middleware::from_fn_with_state(
            (state(), how),
            authentication::authenticate,
        ));
    }
    let mut mounted = plain(routes);
    // Looking whose page asks is work, too.
    if group.origins == AllowedOrigins::OfTenant {
        mounted = mounted.layer(pages_of_tenants(platform));
    }
    mounted = match group.ask {
        Ask::Work => at_work(platform, mounted),
        Ask::Document => mounted.layer(middleware::from_fn_with_state(
            state(),
            layers::document_slot,
        )),
        Ask::Probe => mounted,
    };
    if group.origins == AllowedOrigins::Any {
        mounted = mounted.layer(cors::for_everybody());
    }
    mounted
}

/// A slot for each request whose body is there.
fn at_work(platform: &Platform, group: Router<Platform>) -> Router<Platform> {
    group
        .layer(middleware::from_fn_with_state(
            platform.clone(),
            layers::slot,
        ))
        .layer(middleware::from_fn_with_state(
            platform.clone(),
            layers::whole_body,
        ))
}

/// What refuses a method stands inside the layers: a preflight is answered before it.
fn plain(group: OpenApiRouter<Platform>) -> Router<Platform> {
    let (router, _) = group.split_for_parts();
    router
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(shared())
}

fn pages_of_tenants(platform: &Platform) -> tower_http::cors::CorsLayer {
    let platform = platform.clone();
    cors::for_origins(move |parts: &Parts, origin| {
        let (platform, slug) = (platform.clone(), owned_slug(&parts.uri));
        async move { plinto_tenancy::tenants::allows_origin(&platform, &slug, &origin).await }
    })
}

fn owned_slug(uri: &Uri) -> String {
    slug(uri).unwrap_or_default().to_owned()
}

fn budgets(platform: &Platform, groups: &Groups) -> Budgets {
    Budgets {
        platform: platform.clone(),
        groups: groups.clone(),
        has_own: plinto_tenancy::api_keys::is_genuine,
    }
}

async fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, Code::NotFound.title())
}
