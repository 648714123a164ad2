//! Mounts every feature's doors in groups: who may ask, from which pages, and which slots they take.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Uri, request::Parts},
    middleware,
};
use plinto_contract::problem::Code;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::App,
    authentication::{self, slug},
    features,
    http::{
        ApiError, cors, idempotency,
        layers::{self, Budgets},
        problem, query, retry,
        shared::shared,
    },
    openapi, ops,
};

/// `/v1`: for machines with an API key. One line per feature.
fn management() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(features::tenants::rest::routes())
        .merge(features::users::rest::routes())
        .merge(features::sessions::rest::routes())
        .merge(features::sign_in::rest::routes())
        .merge(features::signing_keys::rest::routes())
        .merge(features::roles::rest::routes())
        .merge(features::organizations::rest::routes())
        .merge(features::api_keys::rest::routes())
        .merge(features::policies::rest::routes())
}

/// Under an issuer: where people come in. One line per feature.
fn entrance() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(features::sign_in::rest::entrance_routes())
}

/// Those of them that happen once with an `Idempotency-Key`.
fn entrance_once() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(features::sign_in::rest::idempotent_routes())
}

/// Under an issuer: for people who have signed in. One line per feature.
fn own() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(features::users::rest::issuer_routes())
        .merge(features::sessions::rest::issuer_routes())
        .merge(features::sign_in::rest::issuer_routes())
}

/// Under an issuer: OAuth's endpoints, with their own form of refusals.
fn oauth() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(features::oauth::rest::issuer_routes())
}

/// What an issuer publishes, under its path and beside it. One line per feature.
fn documents() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(features::tenants::rest::discovery_routes())
        .merge(features::signing_keys::rest::public_routes())
        .merge(features::policies::rest::public_routes())
        .merge(features::revocations::rest::public_routes())
}

/// Everything, wrapped.
pub fn router(app: &App) -> Router {
    let api = openapi();
    let declared = query::Declared::of(&api);
    doors(app)
        .merge(ops::routes(&api))
        .layer(shared())
        .layer(middleware::from_fn_with_state(
            declared,
            query::refuse_unknown,
        ))
        .fallback(not_found)
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(DefaultBodyLimit::max(app.config.http.body_bytes))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::time_limit,
        ))
        .layer(middleware::from_fn_with_state(
            budgets(app),
            layers::rate_limit,
        ))
        .layer(shared())
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            problem::write_problems,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::security_headers,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::name_and_log,
        ))
        .with_state(app.clone())
}

/// The `OpenAPI` document, without a running server.
pub fn openapi() -> OpenApi {
    let doors = management()
        .merge(entrance())
        .merge(entrance_once())
        .merge(own())
        .merge(oauth())
        .merge(documents());
    let api = OpenApiRouter::with_openapi(openapi::about())
        .merge(doors)
        .into_openapi();
    openapi::complete(api)
}

fn doors(app: &App) -> Router<App> {
    let state = || app.clone();
    let again = middleware::from_fn(retry::when_lost);
    let once = middleware::from_fn_with_state(state(), idempotency::once);
    let machines = management()
        .route_layer(again.clone())
        .route_layer(once.clone())
        .route_layer(middleware::from_fn_with_state(state(), layers::large_body))
        .route_layer(middleware::from_fn_with_state(
            state(),
            authentication::of_machine,
        ));
    let entrance = entrance_once()
        .route_layer(again.clone())
        .route_layer(once)
        .merge(entrance().route_layer(again.clone()))
        .route_layer(middleware::from_fn_with_state(
            state(),
            authentication::of_nobody,
        ));
    let own = own()
        .route_layer(again.clone())
        .route_layer(middleware::from_fn_with_state(
            state(),
            authentication::of_person,
        ));
    let oauth = oauth()
        .route_layer(again)
        .route_layer(middleware::from_fn_with_state(
            state(),
            authentication::of_oauth_client,
        ));
    let people = entrance.merge(own).merge(oauth);
    // Looking whose page asks is work, too.
    let people = plain(people).layer(pages_of_tenants(app));
    at_work(app, plain(machines))
        .merge(at_work(app, people))
        .merge(published(app))
}

/// A slot for each request whose body is there.
fn at_work(app: &App, group: Router<App>) -> Router<App> {
    group
        .layer(middleware::from_fn_with_state(app.clone(), layers::slot))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::whole_body,
        ))
}

/// Documents have slots of their own, no body, and are for every page.
fn published(app: &App) -> Router<App> {
    plain(documents())
        .layer(middleware::from_fn_with_state(
            app.clone(),
            layers::document_slot,
        ))
        .layer(cors::for_everybody())
}

/// What refuses a method stands inside the layers: a preflight is answered before it.
fn plain(group: OpenApiRouter<App>) -> Router<App> {
    let (router, _) = group.split_for_parts();
    router
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(shared())
}

fn pages_of_tenants(app: &App) -> tower_http::cors::CorsLayer {
    let app = app.clone();
    cors::for_origins(move |parts: &Parts, origin| {
        let (app, slug) = (app.clone(), owned_slug(&parts.uri));
        async move { features::tenants::allows_origin(&app, &slug, &origin).await }
    })
}

fn owned_slug(uri: &Uri) -> String {
    slug(uri).unwrap_or_default().to_owned()
}

fn budgets(app: &App) -> Budgets {
    Budgets {
        app: app.clone(),
        has_own: features::api_keys::is_genuine,
    }
}

async fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, Code::NotFound.title())
}
