//! Bundles that are refused: whole, with the place of the fault, and what was active stays active.

use std::{fmt::Write as _, os::unix::ffi::OsStrExt, path::Path, time::Duration};

use plinto_policy::bundle;
use plinto_tests::{
    process,
    world::{Answer, Client, World},
};
use serde_json::{Value, json};

use crate::setup::{
    BY_ROLE, CLOSED, activate, admin, apply, bundle, bundle_of, each_database, manifest, pointers,
    publish, source,
};

/// A world with a policy in force, its administrator, and what edges fetch.
async fn with_active_policy() -> (World, Client, Vec<u8>) {
    let world = World::new().await;
    let admin = admin(&world);
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    activate(&admin, &revision).await;
    let active = world
        .anon()
        .get("/t/acme/edge/bundle")
        .await
        .expect(200)
        .bytes;
    (world, admin, active)
}

async fn send(client: &Client, packed: Vec<u8>) -> Answer {
    client
        .post_bytes("/v1/policies/bundles", "application/gzip", packed)
        .await
}

/// An archive of any files, as another program might make it.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let raw = source(files);
    let mut unpacked = Vec::new();
    for (path, content) in &raw.files {
        unpacked.extend(tar_header(path, content.len()));
        unpacked.extend_from_slice(content);
        unpacked.resize(unpacked.len().div_ceil(512) * 512, 0);
    }
    unpacked.resize(unpacked.len() + 1024, 0);
    gzip(&unpacked)
}

/// A header of the POSIX tar format.
fn tar_header(path: &str, size: usize) -> [u8; 512] {
    let mut header = [0_u8; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const MANIFEST: &str = r#"{"roots": ["app", "plinto"], "rego_version": 1,
    "metadata": {"plinto": {"entrypoint": "app/authz/decision"}}}"#;

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of bundles")]
async fn whatever_is_wrong_with_a_bundle_nothing_of_it_is_kept() {
    let (world, admin, active) = with_active_policy().await;
    let policy = ("app/authz/decision.rego", CLOSED);
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let big = "x".repeat(9 << 20);
    let reserved = ("plinto/roles/data.json", "{\"owner\": {\"*\": true}}");
    let activated = MANIFEST.replace(
        "\"app/authz/decision\"",
        "\"app/authz/decision\", \"activation\": {\"tenant\": \
         \"tenant_01h455vb4pex5vsknk084sn02q\", \"sequence\": 9, \"iat\": 1, \"exp\": 2, \
         \"engine\": \"plinto\", \"engine_version\": \"0\"}",
    );
    let elsewhere = MANIFEST.replace("\"app\"", "\"other\"");
    let missing = MANIFEST.replace("app/authz/decision", "app/authz/verdict");
    let newer = MANIFEST.replace("\"rego_version\": 1", "\"rego_version\": 2");
    let unknown = MANIFEST.replace("\"rego_version\": 1", "\"rego_version\": 1, \"rootz\": []");
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("nothing", Vec::new(), 422, "bundle_malformed"),
        ("garbage", b"garbage".to_vec(), 422, "bundle_malformed"),
        (
            "half",
            active[..active.len() / 2].to_vec(),
            422,
            "bundle_malformed",
        ),
        ("a bomb", bomb, 413, "bundle_too_large"),
        (
            "too much packed",
            vec![0; (1 << 20) + 1],
            413,
            "bundle_too_large",
        ),
        (
            "far too much packed",
            vec![0; 3 << 20],
            413,
            "payload_too_large",
        ),
        (
            "too much unpacked",
            archive(&[(".manifest", MANIFEST), ("a.rego", &big)]),
            413,
            "bundle_too_large",
        ),
        ("no manifest", archive(&[policy]), 422, "bundle_malformed"),
        (
            "no policy",
            archive(&[(".manifest", MANIFEST)]),
            422,
            "policy_entrypoint_missing",
        ),
        (
            "a dialect to come",
            archive(&[(".manifest", &newer), policy]),
            422,
            "bundle_malformed",
        ),
        (
            "an unknown word",
            archive(&[(".manifest", &unknown), policy]),
            422,
            "bundle_malformed",
        ),
        (
            "outside its roots",
            archive(&[(".manifest", &elsewhere), policy]),
            422,
            "bundle_malformed",
        ),
        (
            "a strange file",
            archive(&[(".manifest", MANIFEST), policy, ("run.sh", "")]),
            422,
            "bundle_malformed",
        ),
        (
            "our own data",
            archive(&[(".manifest", MANIFEST), policy, reserved]),
            422,
            "bundle_malformed",
        ),
        (
            "our own activation",
            archive(&[(".manifest", &activated), policy]),
            422,
            "bundle_malformed",
        ),
        (
            "no entrypoint",
            archive(&[(".manifest", &missing), policy]),
            422,
            "policy_entrypoint_missing",
        ),
        (
            "a path that leaves",
            archive(&[(".manifest", MANIFEST), ("../x.rego", CLOSED)]),
            422,
            "bundle_malformed",
        ),
        // what edges fetch is no upload: it carries an activation
        ("an artifact", active.clone(), 422, "bundle_malformed"),
    ];
    for (what, packed, status, code) in cases {
        let answer = send(&admin, packed).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
        assert_eq!(answer.json()["code"], code, "{what}: {}", answer.text());
    }
    let listed = admin.get("/v1/policies/bundles").await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    let still = world
        .anon()
        .get("/t/acme/edge/bundle")
        .await
        .expect(200)
        .bytes;
    assert_eq!(still, active);
    let kinds = world.event_kinds().await;
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| kind.starts_with("policy."))
            .count(),
        2,
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_syntax_error_is_shown_with_file_line_column_and_caret() {
    let (_world, admin, _) = with_active_policy().await;
    let policy = "package app.authz\n\ndecision := {\"allow\": true,, }\n";
    let packed = archive(&[(".manifest", MANIFEST), ("app/authz/decision.rego", policy)]);
    let answer = send(&admin, packed)
        .await
        .expect_problem(422, "policy_syntax");
    assert_eq!(pointers(&answer), ["app/authz/decision.rego:3:28"]);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("3 | decision := {\"allow\": true,, }"),
        "{detail}"
    );
    let caret = detail.lines().last().unwrap();
    assert!(caret.ends_with('^'), "{detail}");
}

#[tokio::test]
async fn a_failing_test_refuses_the_bundle_and_is_named() {
    let (_world, admin, _) = with_active_policy().await;
    let tests = "package app.authz_test\n\ntest_closed if not data.app.authz.decision.allow\n\n\
                 test_open if data.app.authz.decision.allow\n";
    let files = [
        ("app/authz/decision.rego", CLOSED),
        ("app/authz/decision_test.rego", tests),
    ];
    let packed = bundle::build(&source(&files), &manifest()).unwrap();
    let answer = send(&admin, packed)
        .await
        .expect_problem(422, "policy_tests_failed");
    assert_eq!(pointers(&answer), ["app/authz/decision_test.rego:5"]);
    let errors = answer.json()["errors"].clone();
    assert_eq!(errors[0]["code"], "test_failed");
    assert!(
        errors[0]["detail"]
            .as_str()
            .unwrap()
            .starts_with("app.authz_test.test_open: ")
    );
}

#[tokio::test]
async fn a_bundle_that_was_changed_after_it_was_built_is_refused() {
    let (_world, admin, _) = with_active_policy().await;
    let files = [("app/authz/decision.rego", CLOSED)];
    let mut manifest = manifest();
    manifest.revision = bundle::revision(&source(&files), &manifest).unwrap();
    let text = serde_json::to_string(&manifest).unwrap();
    let altered = CLOSED.replace("false", "true");
    let packed = archive(&[(".manifest", &text), ("app/authz/decision.rego", &altered)]);
    send(&admin, packed)
        .await
        .expect_problem(422, "bundle_malformed");
    // the same hands, nothing altered
    let packed = archive(&[(".manifest", &text), ("app/authz/decision.rego", CLOSED)]);
    let made = send(&admin, packed).await.expect(201).json();
    assert_eq!(made["revision"], manifest.revision);
}

#[tokio::test]
async fn what_could_end_an_isolate_or_reach_outside_is_refused_at_publish() {
    let (_world, admin, _) = with_active_policy().await;
    for call in [
        "opa.runtime()",
        "http.send({\"url\": input.url})",
        "rand.intn(\"a\", 5)",
    ] {
        let policy = format!(
            "package app.authz\n\nx := {call}\n\ndecision := {{\"allow\": x == 1, \"reasons\": [], \
             \"obligations\": {{}}}}\n"
        );
        let packed = archive(&[
            (".manifest", MANIFEST),
            ("app/authz/decision.rego", &policy),
        ]);
        let answer = send(&admin, packed).await;
        assert_eq!(answer.status.as_u16(), 422, "{call}: {}", answer.text());
        let code = answer.json()["code"].clone();
        assert!(
            code == "policy_refused" || code == "policy_syntax",
            "{call}: {code}"
        );
        assert!(
            pointers(&answer)[0].starts_with("app/authz/decision.rego:3:"),
            "{call}"
        );
    }
}

#[tokio::test]
async fn a_bundle_that_brings_roles_of_its_own_is_refused() {
    let (_world, admin, _) = with_active_policy().await;
    let data = json!({"roles": {"owner": {"document:delete": true}}}).to_string();
    let files = [
        ("app/authz/decision.rego", BY_ROLE),
        ("plinto/data.json", data.as_str()),
    ];
    let packed = bundle::build(&source(&files), &manifest()).unwrap();
    let answer = send(&admin, packed).await;
    assert_eq!(answer.status.as_u16(), 422, "{}", answer.text());
    assert_eq!(answer.json()["code"], "bundle_malformed");
    // a rule in the same place would hide them
    let rule = "package plinto.roles\n\nowner := {\"document:delete\": true}\n";
    let files = [
        ("app/authz/decision.rego", BY_ROLE),
        ("plinto/roles/roles.rego", rule),
    ];
    let packed = bundle::build(&source(&files), &manifest()).unwrap();
    let answer = send(&admin, packed).await;
    assert_eq!(answer.status.as_u16(), 422, "{}", answer.text());
}

#[tokio::test]
async fn only_gzip_is_taken() {
    let (_world, admin, _) = with_active_policy().await;
    let packed = bundle_of(CLOSED);
    for media_type in ["application/json", "application/octet-stream", ""] {
        let answer = admin
            .post_bytes("/v1/policies/bundles", media_type, packed.clone())
            .await;
        answer.expect_problem(415, "unsupported_media_type");
    }
    admin
        .post("/v1/policies/bundles", Value::Null)
        .await
        .expect_problem(415, "unsupported_media_type");
}

#[apply(each_database)]
async fn a_revision_that_cannot_be_one_is_not_there(world: World) {
    let admin = admin(&world);
    publish(&admin, bundle_of(CLOSED)).await;
    // one of them is text that a database may refuse to look for
    for revision in [
        "0".repeat(64),
        "latest".to_owned(),
        "A".repeat(64),
        "%00".to_owned(),
    ] {
        let path = format!("/v1/policies/bundles/{revision}");
        admin.get(&path).await.expect_problem(404, "not_found");
        admin
            .get(&format!("{path}/archive"))
            .await
            .expect_problem(404, "not_found");
        admin
            .post_empty(&format!("{path}/activate"))
            .await
            .expect_problem(404, "not_found");
        let path = format!("/t/acme/edge/bundles/{revision}");
        world
            .anon()
            .get(&path)
            .await
            .expect_problem(404, "not_found");
    }
}

/// A bundle that is fine but for a test that spends whatever it gets.
fn costly(test: &str) -> Vec<u8> {
    let doubled = |name: &str| {
        let start = format!("{name}0 := [1]\n");
        (0..40).fold(start, |rules, index| {
            let next = index + 1;
            format!("{rules}{name}{next} := [{name}{index}, {name}{index}]\n")
        })
    };
    let tests = format!(
        "package app.authz_test\n{}{}{test}\n",
        doubled("a"),
        doubled("b")
    );
    bundle(&[
        ("app/authz/decision.rego", CLOSED),
        ("app/authz/decision_test.rego", &tests),
    ])
}

/// Z8: one step may compare two values of a trillion parts, and another write one out.
#[tokio::test]
async fn a_bundle_whose_check_would_take_the_server_along_is_refused() {
    let (world, admin, active) = with_active_policy().await;
    let endless = "test_equal if a40 == b40";
    let large = "big := {i | some i in numbers.range(1, 10000)}
test_large if count([both | some i in big; both := big | {0 - i}]) == 1";
    // Their steps end long before the process that checks has to.
    for test in [endless, large] {
        let answer = send(&admin, costly(test)).await;
        answer.expect_problem(422, "policy_tests_failed");
    }
    let listed = admin.get("/v1/policies/bundles").await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    let still = world
        .anon()
        .get("/t/acme/edge/bundle")
        .await
        .expect(200)
        .bytes;
    assert_eq!(still, active);
}

/// A bundle whose tests together spend many times what one may.
fn long() -> Vec<u8> {
    let mut tests = "package app.authz_test\n".to_owned();
    for test in 0..4_000 {
        let spent = "count([1 | some i in numbers.range(1, 200); some j in numbers.range(1, 200)])";
        writeln!(tests, "test_{test} if {spent} == 0").unwrap();
    }
    bundle(&[
        ("app/authz/decision.rego", CLOSED),
        ("app/authz/decision_test.rego", &tests),
    ])
}

/// Processes that run this program.
fn running(program: &Path) -> usize {
    let name = program.as_os_str().as_bytes();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| line.starts_with(name))
        .count()
}

/// A client that goes away takes the check of its bundle along.
#[tokio::test]
async fn a_check_that_nobody_waits_for_any_more_ends() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("checker");
    std::os::unix::fs::symlink(process::binary("plinto-control-plane"), &program).unwrap();
    let world = World::checking_with(program.clone()).await;
    let admin = admin(&world);
    let started = process::until("the check runs", Duration::from_mins(1), async || {
        (running(&program) == 1).then_some(())
    });
    tokio::select! {
        answer = send(&admin, long()) => panic!("{}", answer.text()),
        () = started => {}
    }
    // Left alone it would run for many seconds.
    process::until("the check ended", Duration::from_secs(3), async || {
        (running(&program) == 0).then_some(())
    })
    .await;
}
