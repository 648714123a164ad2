//! What goes on after its decision, sockets, streams and uploads, ends with the token that let it in.

use std::{
    io,
    time::{Duration, Instant},
};

use futures_util::stream;
use plinto_contract::{claims::AccessToken, limits::CLOCK_LEEWAY_S, revocation::Feed};
use plinto_jose::Algorithm;
use plinto_tests::{edge::Edge, process::until};
use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};

use super::{
    published::{Answer, REVOCATIONS, Stage},
    sockets::{Frame, Sockets, open},
    wire::NEVER,
};

/// The bound is a second and a round trip; the rest is for a machine that is busy with other tests.
const BOUND: Duration = Duration::from_millis(3_500);

fn revoke(stage: &Stage, version: u64, change: impl FnOnce(&mut Feed)) {
    let mut feed = stage.authority.feed(version);
    change(&mut feed);
    let feed = stage.authority.signed_feed(&feed).into_bytes();
    stage.published.set(REVOCATIONS, Answer::Bytes(feed));
}

/// Somebody else's token: another session, user and second of issue.
fn another(stage: &Stage, number: u8) -> AccessToken {
    use plinto_contract::ids::{SessionId, UserId};
    let mut claims = stage.authority.claims();
    claims.sid = SessionId::from_parts(9, [number; 10]);
    claims.sub = UserId::from_parts(9, [number; 10]);
    claims.epoch = 3;
    claims.iat = claims.iat.plus_seconds(i64::from(number) * 10 - 100);
    claims
}

type Change = fn(&mut Feed, &[AccessToken; 4]);

/// S3, S4: a session's end, a user's and the tenant's close the sockets they concern, within the bound,
/// and no others. Source: RFC 6455 §7.4.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_closed_when_its_token_is_revoked() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Sockets::start().await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    // the third is the oldest, and the last stays
    let people = [
        another(&stage, 4),
        another(&stage, 3),
        another(&stage, 1),
        another(&stage, 5),
    ];
    let mut sockets = Vec::new();
    for claims in &people {
        let mut socket = open(&edge, &stage.authority.token(claims)).await;
        socket.say(Frame::Text("hello".to_owned())).await;
        assert!(socket.hear().await.is_some());
        sockets.push(socket);
    }
    let changes: [Change; 3] = [
        |feed, people| feed.sessions.push(people[0].sid),
        |feed, people| {
            feed.subjects.insert(people[1].sub, people[1].epoch + 1);
        },
        |feed, people| feed.issued_before = people[2].iat.plus_seconds(1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        // it stood until now
        let mut socket = sockets.remove(0);
        socket.say(Frame::Text(format!("still {number}"))).await;
        assert!(matches!(socket.hear().await, Some(Frame::Text(_))));
        let began = Instant::now();
        revoke(&stage, u64::try_from(number).unwrap() + 2, |feed| {
            change(feed, &people);
        });
        let closed = socket.hear().await;
        let took = began.elapsed();
        assert_eq!(closed, Some(Frame::Close(1008, "token_revoked".to_owned())));
        assert!(took < BOUND, "{took:?}");
        // what a client says that ignores its end reaches nobody
        socket.say(Frame::Text("too late".to_owned())).await;
        until("the application hears of it", NEVER, async || {
            (app.closes.lock().unwrap().len() > number).then_some(())
        })
        .await;
    }
    let told = Frame::Close(1008, "token_revoked".to_owned());
    assert_eq!(
        *app.closes.lock().unwrap(),
        [told.clone(), told.clone(), told]
    );
    let mut socket = sockets.remove(0);
    socket.say(Frame::Text("goodbye".to_owned())).await;
    assert!(matches!(socket.hear().await, Some(Frame::Text(_))));
    let heard = app.heard.lock().unwrap().clone();
    assert!(!heard.contains(&"too late".to_owned()), "{heard:?}");
}

/// T7: with its leeway, as for a new request.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_closed_when_its_token_expires() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Sockets::start().await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    assert_eq!(ready(&stage, &edge).await, 200);
    let mut claims = stage.authority.claims();
    let now = super::published::now();
    claims.exp = now.plus_seconds(3 - CLOCK_LEEWAY_S);
    let mut socket = open(&edge, &stage.authority.token(&claims)).await;
    let closed = socket.hear().await;
    assert_eq!(closed, Some(Frame::Close(1008, "token_expired".to_owned())));
    let late = super::published::now().0 - now.0 - 3;
    assert!((0..3).contains(&late), "{late} s after its end");
}

async fn ready(stage: &Stage, edge: &Edge) -> u16 {
    let url = format!("{}/.plinto/health", edge.url());
    stage.http.get(url).send().await.unwrap().status().as_u16()
}

/// Answers that go on: of no known length, and of a known one that is not reached.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_token_is_revoked() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let mut streams = Vec::new();
    for path in ["events", "endless", "long"] {
        let url = format!("{}/documents/{path}", edge.url());
        let answer = stage.http.get(url).bearer_auth(&token).send();
        let mut answer = timeout(NEVER, answer).await.unwrap().unwrap();
        assert_eq!(answer.status(), 200);
        let first = timeout(NEVER, answer.chunk()).await.unwrap().unwrap();
        assert!(first.is_some_and(|first| !first.is_empty()), "{path}");
        streams.push((path, answer));
    }
    let began = Instant::now();
    let sid = stage.authority.claims().sid;
    revoke(&stage, 2, |feed| feed.sessions.push(sid));
    for (path, mut answer) in streams {
        let end = loop {
            match timeout(NEVER, answer.chunk()).await.unwrap() {
                Ok(Some(_)) => assert!(began.elapsed() < NEVER, "{path} goes on"),
                end => break end,
            }
        };
        assert!(began.elapsed() < BOUND, "{path}: {:?}", began.elapsed());
        // a body that said how long it is is known to be cut short
        assert_eq!(end.is_err(), path == "long", "{path}: {end:?}");
    }
    until("the application stops", NEVER, async || {
        let flowing = stage.flowing.load(std::sync::atomic::Ordering::SeqCst);
        (flowing == 0).then_some(())
    })
    .await;
}

/// An application that is slow to answer, and a client that is slow to ask: what was let in a while
/// ago is not done for somebody who has been shut out meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_answered_yet_ends_when_its_token_is_revoked() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let (sender, receiver) = mpsc::channel::<&'static str>(1);
    let parts = stream::unfold(receiver, |mut receiver| async move {
        let part = receiver.recv().await?;
        Some((Ok::<_, io::Error>(part), receiver))
    });
    let post = |length: usize, body: reqwest::Body| {
        let request = stage.http.post(format!("{}/documents/slow", edge.url()));
        let request = request.bearer_auth(&token).body(body);
        tokio::spawn(request.header("content-length", length.to_string()).send())
    };
    let waiting = post(4, "done".into());
    // five bytes of which the last never come
    let dawdling = post(10, reqwest::Body::wrap_stream(parts));
    sender.send("first").await.unwrap();
    until("the application has the first", NEVER, async || {
        (stage.seen.lock().unwrap().len() == 1).then_some(())
    })
    .await;
    let began = Instant::now();
    let sid = stage.authority.claims().sid;
    revoke(&stage, 2, |feed| feed.sessions.push(sid));
    for request in [waiting, dawdling] {
        let answer = timeout(NEVER, request).await.unwrap().unwrap().unwrap();
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
        assert_eq!(answer.status(), 401);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "token_revoked");
    }
    // the one whose body was not whole never reached the application
    assert_eq!(*stage.seen.lock().unwrap(), ["POST /documents/slow"]);
    drop(sender);
}

/// Past the hard limit nobody can say who is revoked; sockets end as requests do.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_closed_when_nobody_can_say_who_is_revoked() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Sockets::start().await;
    let edge = stage
        .edge(&[("UPSTREAM", &app.url), ("REVOCATION_HARD_LIMIT_S", "3")])
        .await;
    let mut socket = open(&edge, &stage.authority.token(&stage.authority.claims())).await;
    stage.published.set(REVOCATIONS, Answer::Broken);
    let closed = socket.hear().await;
    assert_eq!(
        closed,
        Some(Frame::Close(1013, "revocation_unknown".to_owned()))
    );
}

/// A public route has no token to end.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_stream_goes_on() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[("UPSTREAM_TIMEOUT_S", "1")]).await;
    let url = format!("{}/public/endless", edge.url());
    let mut answer = stage.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let now = stage.authority.now;
    revoke(&stage, 2, |feed| {
        feed.issued_before = now.plus_seconds(3_600);
    });
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let part = timeout(NEVER, answer.chunk()).await.unwrap().unwrap();
        assert!(part.is_some(), "it ended after {:?}", began.elapsed());
    }
}

/// W2: what one client does not read is not kept for ever in the memory that serves all.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_not_written_to_without_end() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Sockets::start().await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let mut asleep = open(&edge, &token).await;
    asleep.say(Frame::Text("flood".to_owned())).await;
    until("the application is told to stop", NEVER, async || {
        (!app.closes.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    let told = app.closes.lock().unwrap().clone();
    assert_eq!(told, [Frame::Close(1013, "slow_reader".to_owned())]);
    // the others are served
    assert_eq!(ready(&stage, &edge).await, 200);
}
