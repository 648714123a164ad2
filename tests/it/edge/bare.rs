//! The Worker in workerd alone, where it sees its clients come and go and has no Cache API.

use std::time::{Duration, Instant};

use plinto_jose::Algorithm;
use plinto_tests::process::until;
use tokio::{io::AsyncWriteExt as _, sync::watch};

use super::published::{Answer, BUNDLE_KEYS, POLICY, REVOCATIONS, Stage, TOKEN_KEYS};

/// Without a Cache API each isolate works for itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_edge_without_a_cache_api_decides_all_the_same() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.bare().await;
    let token = stage.authority.token(&stage.authority.claims());
    let (status, body) = stage.read(&edge, &token).await;
    assert_eq!(status, 200, "{body}");
    let (status, _) = stage.read(&edge, "garbage").await;
    assert_eq!(status, 401);
    assert!(!edge.log().contains("the gate broke"), "{}", edge.log());
}

/// A client that goes away takes nothing with it that others wait for: the refresh it began goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_does_not_hold_the_others_up() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let (release, released) = watch::channel(false);
    for (path, bytes) in stage.documents() {
        let held = Answer::Held(released.clone(), bytes);
        stage.published.set(path, held);
    }
    let edge = stage.bare().await;
    let token = stage.authority.token(&stage.authority.claims());
    let mut client = tokio::net::TcpStream::connect(edge.authority())
        .await
        .unwrap();
    let request = format!(
        "GET /documents/7 HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n",
        edge.authority()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let began = || {
        let paths = [TOKEN_KEYS, BUNDLE_KEYS, POLICY, REVOCATIONS];
        paths.iter().all(|path| stage.published.begun(path) > 0)
    };
    until("the edge asks", Duration::from_secs(30), async || {
        began().then_some(())
    })
    .await;
    // a reset: that somebody is gone, and not only done with sending, shows at once
    client.set_zero_linger().unwrap();
    drop(client);
    // the edge has noticed by the time it has answered these
    let gone_at = Instant::now();
    while gone_at.elapsed() < Duration::from_millis(1_200) {
        let url = format!("{}/.plinto/", edge.url());
        assert_eq!(stage.http.get(url).send().await.unwrap().status(), 404);
    }
    release.send(true).unwrap();
    // a refresh that was lost would keep the others out for ten seconds
    until("the next one passes", Duration::from_secs(7), async || {
        (stage.read(&edge, &token).await.0 == 200).then_some(())
    })
    .await;
}
