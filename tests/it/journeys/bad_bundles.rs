//! Whoever stands between control plane and edge can't change the policy: an edge keeps the bundle
//! it has when a worse one arrives.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use plinto_contract::ids::TenantId;
use plinto_contract::time::UnixSeconds;
use plinto_jose::{Algorithm, SigningKey};
use plinto_policy::bundle::{self, Bundle, Expect, Limits, Unverified};
use plinto_tests::process::until;

use super::relay::Change;
use super::stage::{Stage, now_s};
use super::tokens::TrustedKey;
use crate::setup::{BY_ROLE, CLOSED};

/// One block of a tar archive. Source: POSIX.1-1988 ustar.
const BLOCK: usize = 512;

/// What the relay answers for the bundle.
type Served = Arc<Mutex<Option<Vec<u8>>>>;

#[tokio::test(flavor = "multi_thread")]
async fn tampered_bundles_leave_the_old_one_in_force() {
    let stage = Stage::start().await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;
    stage.publish(CLOSED);
    stage
        .until_status(403, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;
    let closed = served_bundle(&stage).await;
    stage.publish(BY_ROLE);
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;

    let served = Served::default();
    let (key, answer) = (stage.key.clone(), served.clone());
    stage.relay.edit(move |path| {
        let forged = answer
            .lock()
            .unwrap()
            .clone()
            .filter(|_| path.ends_with("/edge/bundle"));
        match forged {
            Some(bytes) => Some(Box::new(move |_| bytes) as Change),
            None => key.change(path),
        }
    });
    let (forged, genuine) = forgeries(&stage, &closed);
    for (what, bytes) in forged {
        // the forged one is fetched, then the right one again, and nobody is refused meanwhile
        for bytes in [Some(bytes), None] {
            *served.lock().unwrap() = bytes;
            let fetched = stage.relay.count("/edge/bundle");
            let waiting = format!("the edge fetches the bundle: {what}");
            until(&waiting, Duration::from_secs(30), async || {
                let answer = stage.through("GET", "/documents/1", Some(&ada.token)).await;
                assert_eq!(answer.status, 200, "{what}: {answer:?}");
                (stage.relay.count("/edge/bundle") > fetched).then_some(())
            })
            .await;
        }
    }
    // the same hands, with nothing wrong: so the key was trusted, and each fault was the reason
    *served.lock().unwrap() = Some(genuine);
    stage
        .until_status(403, "/documents/1", &ada.token, Duration::from_secs(15))
        .await;
}

async fn served_bundle(stage: &Stage) -> Vec<u8> {
    let url = format!("{}/edge/bundle", stage.tenant.issuer);
    stage
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap()
        .to_vec()
}

/// Bundles with one fault each, all of which would close everything; and one without a fault.
fn forgeries(stage: &Stage, closed: &[u8]) -> (Vec<(&'static str, Vec<u8>)>, Vec<u8>) {
    let tenant: TenantId = stage.tenant.tenant.parse().unwrap();
    let expect = Expect {
        tenant,
        now: UnixSeconds(now_s()),
        min_sequence: 0,
    };
    let old = Unverified::read(closed, &Limits::default())
        .unwrap()
        .verified(&expect)
        .unwrap();
    let ahead = changed(&old, |bundle| activation(bundle).sequence += 10);
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let by_stranger =
        |payload: &[u8]| Ok::<_, bundle::Error>(stranger.sign(None, payload).unwrap());
    let stranger_kid = stranger.public().kid.unwrap();
    let kid = stage.key.kid();

    let mut altered = ahead.clone();
    let policy = altered
        .source
        .files
        .values_mut()
        .find(|content| content.starts_with(b"package"))
        .unwrap();
    policy.extend_from_slice(b"\n# altered\n");
    let original = bundle::Unsigned::new(&ahead.source, &ahead.manifest, &kid).unwrap();
    let with_old_digests =
        |_: &[u8]| Ok::<_, bundle::Error>(stage.key.sign(None, original.payload()));

    let expired = changed(&ahead, |bundle| {
        activation(bundle).exp = UnixSeconds(now_s() - 120);
    });
    let foreign = changed(&ahead, |bundle| activation(bundle).tenant = other_tenant());
    let forged = vec![
        ("garbage", b"garbage".to_vec()),
        ("nothing", Vec::new()),
        (
            "half of it",
            closed.get(..closed.len() / 2).unwrap().to_vec(),
        ),
        ("too much", vec![0; 1_500_000]),
        ("an older one", closed.to_vec()),
        ("unsigned", without_signature(&signed(&ahead, &stage.key))),
        (
            "signed by a stranger",
            bundle::build_signed(&ahead.source, &ahead.manifest, &stranger_kid, by_stranger)
                .unwrap(),
        ),
        (
            "altered",
            bundle::build_signed(&altered.source, &altered.manifest, &kid, with_old_digests)
                .unwrap(),
        ),
        ("expired", signed(&expired, &stage.key)),
        ("another tenant's", signed(&foreign, &stage.key)),
    ];
    (forged, signed(&ahead, &stage.key))
}

fn changed(bundle: &Bundle, change: impl Fn(&mut Bundle)) -> Bundle {
    let mut bundle = bundle.clone();
    change(&mut bundle);
    bundle
}

fn activation(bundle: &mut Bundle) -> &mut plinto_contract::bundle::Activation {
    bundle.manifest.metadata.plinto.activation.as_mut().unwrap()
}

fn other_tenant() -> TenantId {
    "tenant_01h455vb4pex5vsknk084sn02q".parse().unwrap()
}

fn signed(bundle: &Bundle, key: &TrustedKey) -> Vec<u8> {
    let sign = |payload: &[u8]| Ok::<_, bundle::Error>(key.sign(None, payload));
    bundle::build_signed(&bundle.source, &bundle.manifest, &key.kid(), sign).unwrap()
}

/// The same archive without the file that holds the signature.
fn without_signature(packed: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut archive).unwrap();
    let (mut kept, mut at) = (Vec::new(), 0);
    while at + BLOCK <= archive.len() {
        let header = &archive[at..at + BLOCK];
        let size = std::str::from_utf8(&header[124..135])
            .unwrap()
            .trim_matches(['\0', ' ']);
        let size = usize::from_str_radix(size, 8).unwrap_or(0);
        let end = at + BLOCK + size.next_multiple_of(BLOCK);
        if !header.starts_with(b".signatures.json\0") {
            kept.extend_from_slice(&archive[at..end]);
        }
        at = end;
    }
    assert!(
        kept.len() < archive.len(),
        "there was no signature to take away"
    );
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&kept).unwrap();
    packed.finish().unwrap()
}
