//! What operators look at: health, readiness, version, figures, the `OpenAPI` document and its page.

use std::time::Duration;

use plinto_platform::http::Slots;
use plinto_tests::{process::until, world::World};

use crate::setup::{apply, each_database};

#[apply(each_database)]
async fn a_stopping_server_lives_but_is_not_ready(world: World) {
    world.anon().get("/healthz").await.expect(200);
    world.anon().get("/readyz").await.expect(200);
    world.app.stopping.cancel();
    world.anon().get("/healthz").await.expect(200);
    world
        .anon()
        .get("/readyz")
        .await
        .expect_problem(503, "unavailable");
}

#[apply(each_database)]
async fn a_server_without_its_database_is_not_ready(world: World) {
    world.app.db.close().await;
    world
        .anon()
        .get("/readyz")
        .await
        .expect_problem(503, "unavailable");
}

/// W7: whoever sends requests on to this server learns that it refuses them, and why.
#[tokio::test]
async fn a_server_that_has_no_slot_left_says_so() {
    let world = World::with(|config| config.http.concurrency = 1).await;
    let taken = world
        .app
        .state::<Slots>()
        .work()
        .try_acquire_owned()
        .unwrap();
    let refused = world.anon().get("/readyz").await;
    let problem = refused.expect_problem(503, "overloaded").json();
    assert_eq!(problem["detail"], "all slots for requests are taken");
    drop(taken);
    is_ready_in_a_moment(&world).await;
}

#[tokio::test]
async fn a_server_whose_writer_is_stuck_says_so() {
    let world = World::new().await;
    let stuck = world.app.db.begin().await.unwrap();
    let refused = world.anon().get("/readyz").await;
    let problem = refused.expect_problem(503, "unavailable").json();
    assert_eq!(problem["detail"], "writes wait for their turn");
    drop(stuck);
    is_ready_in_a_moment(&world).await;
}

/// W7: many who ask at once cost what one costs.
#[apply(each_database)]
async fn who_asks_often_whether_a_server_is_ready_takes_no_turns_from_those_who_write(
    world: World,
) {
    let before = world.app.db.transactions();
    let asking = (0..200).map(|_| async { world.anon().get("/readyz").await.expect(200) });
    futures_util::future::join_all(asking).await;
    let taken = world.app.db.transactions() - before;
    assert!(taken < 40, "{taken} transactions for 200 questions");
}

/// The answer of a moment ago has been forgotten.
async fn is_ready_in_a_moment(world: &World) {
    until("the server is ready", Duration::from_secs(2), async || {
        (world.anon().get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

#[apply(each_database)]
async fn a_server_whose_connections_are_all_taken_says_so(world: World) {
    let mut taken = Vec::new();
    let connections = match world.app.db.engine() {
        "sqlite" => 4,
        _ => world.app.config.database.max_connections,
    };
    for _ in 0..connections {
        taken.push(world.app.db.read().await.unwrap());
    }
    let refused = world.anon().get("/readyz").await;
    let problem = refused.expect_problem(503, "unavailable").json();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("connection"), "{detail}");
    drop(taken);
    is_ready_in_a_moment(&world).await;
}

#[tokio::test]
async fn every_figure_says_what_it_means() {
    control_plane::ops::recorder().unwrap();
    let world = World::new().await;
    world.anon().get("/version").await.expect(200);
    let figures = world.anon().get("/metrics").await.expect(200).text();
    let named = |start: &str| -> Vec<String> {
        let lines = figures.lines().filter_map(|line| line.strip_prefix(start));
        lines
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect()
    };
    let (figures_there, explained) = (named("# TYPE "), named("# HELP "));
    assert!(figures_there.len() >= 3, "{figures_there:?}");
    for name in figures_there {
        assert!(explained.contains(&name), "{name} has no HELP");
    }
}

#[tokio::test]
async fn the_version_is_told() {
    let world = World::new().await;
    let version = world.anon().get("/version").await.expect(200).json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["database"], "sqlite");
}

#[tokio::test]
async fn figures_name_routes_and_never_paths() {
    control_plane::ops::recorder().unwrap();
    let world = World::new().await;
    world
        .anon()
        .get("/t/secret-slug/.well-known/jwks.json")
        .await
        .expect(404);
    let figures = world.anon().get("/metrics").await.expect(200).text();
    let line = "plinto_http_requests_total{method=\"GET\",route=\"/t/{tenant}/.well-known/jwks.json\",status=\"404\"}";
    assert!(figures.contains(line), "{figures}");
    assert!(figures.contains("plinto_http_request_duration_seconds_bucket"));
    assert!(figures.contains("plinto_sqlite_group_commits_total"));
    assert!(!figures.contains("secret-slug"));
}

/// W7: no client decides how many time series there are.
#[tokio::test]
async fn a_method_that_the_client_made_up_is_counted_as_other() {
    control_plane::ops::recorder().unwrap();
    let world = World::new().await;
    for name in ["CANARY1", "CANARY2"] {
        let method = axum::http::Method::from_bytes(name.as_bytes()).unwrap();
        let client = world.anon();
        let sent = client.send(method, "/version", None, axum::body::Body::empty());
        sent.await.expect(405);
    }
    let figures = world.anon().get("/metrics").await.expect(200).text();
    let line = "plinto_http_requests_total{method=\"other\",route=\"/version\",status=\"405\"}";
    assert!(figures.contains(line), "{figures}");
    assert!(!figures.contains("CANARY"), "{figures}");
}

/// The recorder keeps single samples until they are taken in: background work does that, also when
/// nobody ever asks for the figures.
#[tokio::test]
async fn background_work_takes_in_what_was_measured() {
    let recorder = control_plane::ops::recorder().unwrap();
    let world = World::new().await;
    world.anon().delete("/version").await.expect(405);
    world.run_due_work().await;
    let inside = format!("{recorder:?}");
    let (_, taken_in) = inside.split_once(" distributions: ").unwrap();
    assert!(taken_in.contains("DELETE"), "{inside}");
}

#[tokio::test]
async fn the_openapi_document_is_3_1_and_describes_every_answer() {
    let world = World::new().await;
    let document = world.anon().get("/openapi.json").await.expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 30, "{}", paths.len());
    let mut names = std::collections::BTreeSet::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} stands twice");
            assert!(
                !operation["responses"].as_object().unwrap().is_empty(),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn the_page_to_try_it_loads_nothing_from_elsewhere() {
    let world = World::new().await;
    let page = world.anon().get("/docs/").await.expect(200);
    let policy = page.header("content-security-policy").to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("http"), "{policy}");
    let html = page.text();
    assert!(
        !html.contains("//") || !html.contains("src=\"http"),
        "{html}"
    );
    for asset in [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-initializer.js",
    ] {
        assert!(html.contains(asset), "{html}");
        world
            .anon()
            .get(&format!("/docs/{asset}"))
            .await
            .expect(200);
    }
    let start = world
        .anon()
        .get("/docs/swagger-initializer.js")
        .await
        .expect(200)
        .text();
    assert!(start.contains("/openapi.json"), "{start}");
}

#[tokio::test]
async fn the_link_in_a_problem_leads_to_a_page_with_cause_and_remedy() {
    let world = World::new().await;
    let refusal = world.anon().get("/v1/roles").await.expect(401).json();
    let link = refusal["type"].as_str().unwrap();
    let path = link.strip_prefix("http://127.0.0.1:7400").unwrap();
    let page = world.anon().get(path).await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = page.text();
    for part in [
        "authentication_required",
        "<h2>Cause</h2>",
        "<h2>Remedy</h2>",
        "<code>Authorization: Bearer</code>",
    ] {
        assert!(html.contains(part), "{html}");
    }
    world
        .anon()
        .get("/docs/errors/nonsense")
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn every_code_has_a_page_and_stands_in_their_list() {
    let world = World::new().await;
    let list = world.anon().get("/docs/errors").await.expect(200).text();
    for code in plinto_contract::problem::Code::ALL {
        let path = format!("/docs/errors/{}", code.as_str());
        assert!(list.contains(&format!("href=\"{path}\"")), "{path}");
        let html = world.anon().get(&path).await.expect(200).text();
        assert!(html.contains(code.title()), "{html}");
    }
}

#[tokio::test]
async fn problems_point_to_the_site_that_the_operator_named() {
    let site = "https://help.example.com/codes";
    let world = World::with(|config| config.problem_pages_url = site.parse().ok()).await;
    let refusal = world.anon().get("/nowhere").await.expect(404).json();
    assert_eq!(refusal["type"], format!("{site}/not_found"));
}
