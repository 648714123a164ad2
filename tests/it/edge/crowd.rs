//! Many requests at once: a cold edge fetches each document once, and a new isolate of a data
//! centre lives on what the others left there.

use std::{collections::BTreeMap, sync::Arc};

use plinto_jose::Algorithm;

use super::published::{Answer, BUNDLE_KEYS, POLICY, REVOCATIONS, Stage, TOKEN_KEYS};

const DOCUMENTS: [&str; 4] = [TOKEN_KEYS, BUNDLE_KEYS, POLICY, REVOCATIONS];

/// T12: a crowd before a cold edge causes one fetch of each document, and all of it passes.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_before_a_cold_edge_fetches_each_document_once() {
    let stage = Arc::new(Stage::new(&[Algorithm::Es256]).await);
    // a feed and a policy that stay fresh for the length of the test
    let edge = Arc::new(
        stage
            .edge(&[
                ("REVOCATION_MAX_AGE_MS", "60000"),
                ("BUNDLE_REFRESH_MS", "60000"),
            ])
            .await,
    );
    let token = stage.authority.token(&stage.authority.claims());
    let requests: Vec<_> = (0..40)
        .map(|_| {
            let (stage, edge, token) = (stage.clone(), edge.clone(), token.clone());
            tokio::spawn(async move { stage.read(&edge, &token).await.0 })
        })
        .collect();
    let mut statuses = BTreeMap::new();
    for request in requests {
        *statuses.entry(request.await.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(200, 40)]));
    for path in DOCUMENTS {
        assert_eq!(stage.published.asked(path), [200], "{path}");
    }
}

/// The Cache API keeps the last good documents: a new isolate answers without a control plane,
/// for as long as the feed it found there may be relied on.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_isolate_lives_on_what_its_data_centre_has() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let variables = |limit: &'static str| [("REVOCATION_HARD_LIMIT_S", limit)];
    let tenant = stage.authority.tenant.to_string();
    let all = |limit| {
        [
            ("ISSUER", stage.authority.issuer.as_str()),
            ("AUDIENCE", plinto_tests::authority::AUDIENCE),
            ("TENANT", tenant.as_str()),
            ("UPSTREAM", stage.app.as_str()),
            variables(limit)[0],
        ]
    };
    let edge = stage.edge(&variables("600")).await;
    let token = stage.authority.token(&stage.authority.claims());
    assert_eq!(stage.read(&edge, &token).await.0, 200);
    for path in DOCUMENTS {
        stage.published.set(path, Answer::Broken);
    }
    let edge = edge.again(&all("600")).await;
    let (status, body) = stage.read(&edge, &token).await;
    assert_eq!(status, 200, "{body}");
    // the age of what was found counts: past the hard limit it proves nothing
    let edge = edge.again(&all("1")).await;
    let (status, body) = stage.read(&edge, &token).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (503, Some("revocation_unknown"))
    );
}
