//! A copy of the log that proves itself, and databases that somebody has tampered with.

use std::{fs, path::Path, time::Duration};

use plinto_tests::process::{Bootstrapped, CommandLine, ControlPlane, until};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

use super::AUDIENCE;

async fn make_roles(server: &ControlPlane, tenant: &Bootstrapped, name: &str, count: usize) {
    for number in 0..count {
        let key = format!("{name}{number}");
        let body = json!({"key": key, "name": key});
        let request = reqwest::Client::new().post(format!("{}/v1/roles", server.url()));
        let request = request.bearer_auth(&tenant.api_key).json(&body);
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
}

/// Waits until everything that was recorded is signed.
async fn sealed(plinto: &CommandLine) -> u64 {
    let position = plinto.json(&["events", "list", "--limit", "1000"])["position"].clone();
    let head = position
        .as_str()
        .unwrap()
        .rsplit('.')
        .next()
        .unwrap()
        .to_owned();
    until("the log is signed", Duration::from_secs(30), async || {
        let output = plinto.run(&["audit", "checkpoint", "--output", "json"]);
        let checkpoint: Value = serde_json::from_slice(&output.stdout).ok()?;
        let size = checkpoint["size"].as_u64()?;
        (head.parse() == Ok(size)).then_some(size)
    })
    .await
}

fn verified(plinto: &CommandLine, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<_> = ["audit", "verify"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let output = plinto.run(&arguments);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), text)
}

/// W9: what was changed in an export, removed from it or slipped in is named.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_proves_itself_and_shows_what_was_done_to_it() {
    let server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let plinto = CommandLine::new(&server.url(), &tenant.api_key);
    make_roles(&server, &tenant, "r", 6).await;
    let size = sealed(&plinto).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (whole, anchors) = (file("whole.ndjson"), file("anchors"));
    plinto.json(&["audit", "checkpoint", "--append", &anchors]);
    let exported = plinto.json(&["audit", "export", &whole]);
    assert_eq!(exported["events"], size);
    let again = plinto.run(&["audit", "export", &whole]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "a file is not replaced by the way"
    );

    let key = plinto.json(&["audit", "checkpoint"])["verifier_key"].clone();
    let known = key.as_str().unwrap();
    let (code, text) = verified(&plinto, &[&whole, "--key", known, "--anchor", &anchors]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("{size} events")), "{text}");

    let text = fs::read_to_string(&whole).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let tampered = file("tampered.ndjson");
    let tried = |lines: Vec<String>| {
        fs::write(&tampered, lines.join("\n") + "\n").unwrap();
        verified(&plinto, &[&tampered])
    };
    let owned = || {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    let found = |lines: Vec<String>, what: &str| {
        let (code, text) = tried(lines);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(what), "{what}: {text}");
    };
    // Line 3 has event 3.
    let mut changed = owned();
    changed[3] = changed[3].replace("\"result\":\"success\"", "\"result\":\"failure\"");
    found(changed, "event 3 was changed");
    let mut removed = owned();
    removed.remove(3);
    found(removed, "event 3 is missing");
    let mut twice = owned();
    twice.insert(4, lines[3].to_owned());
    found(twice, "event 3 was slipped in");
    let mut swapped = owned();
    swapped.swap(3, 4);
    found(swapped, "slipped in");
    let mut short = owned();
    short.truncate(usize::try_from(size).unwrap() - 1);
    found(short, &format!("events {} to {size} are missing", size - 1));
    let mut more = owned();
    more[3] = more[3].replacen('{', "{\"also\":1,", 1);
    found(more, "event 3 was changed");
    let mut doubled = owned();
    doubled[3] = doubled[3].replacen('{', "{\"type\":\"role.deleted\",", 1);
    found(doubled, "line 4 was written by something else");
    let mut other_place = owned();
    let last = usize::try_from(size).unwrap();
    other_place[last] = other_place[last].replace("127.0.0.1", "127.0.0.2");
    found(other_place, &format!("event {size} was changed"));
    let mut other_hash = owned();
    let of = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["leaf_hash"].as_str().unwrap().to_owned()
    };
    other_hash[3] = other_hash[3].replace(&of(lines[3]), &of(lines[4]));
    found(other_hash, "event 3 was changed");
    // Whoever changes an event together with its hash is found by what was signed.
    let mut forged = owned();
    forged[3] = forged[4].replace("\"seq\":4", "\"seq\":3");
    found(forged, "event 3 was changed");
    let mut unsigned = owned();
    unsigned[0] = unsigned[0].replace("\\n\\n", "\\nmore\\n\\n");
    let (code, text) = tried(unsigned);
    assert_eq!(code, Some(1), "{text}");
    // Neither the first line nor the last tells of events.
    for line in [0, lines.len() - 1] {
        let mut smuggled = owned();
        smuggled[line] = smuggled[line].replacen('{', "{\"type\":\"role.deleted\",", 1);
        let (code, text) = tried(smuggled);
        assert_eq!(code, Some(1), "{text}");
    }
    let mut endless = owned();
    endless.pop();
    found(endless, "the last line");
    // A name that was typed wrongly is no reason to look at nothing.
    let (code, text) = verified(&plinto, &[&whole, "--anchor", &file("nothing")]);
    assert_eq!(code, Some(3), "{text}");
    // The end of the last line is easily lost; what is behind it is kept.
    let kept = fs::read_to_string(&anchors).unwrap();
    fs::write(&anchors, kept.trim_end()).unwrap();
    make_roles(&server, &tenant, "s", 1).await;
    sealed(&plinto).await;
    plinto.json(&["audit", "checkpoint", "--append", &anchors]);
    assert_eq!(fs::read_to_string(&anchors).unwrap().lines().count(), 2);
    let (code, text) = verified(&plinto, &[&whole, "--key", "other+12345678+AQ=="]);
    assert_ne!(code, Some(0), "{text}");
}

/// What somebody may do to the database, and what is said of it.
const TAMPERED: &[(&str, &str)] = &[
    (
        "update event_log set data = '{}' where seq = 5",
        "event 5 was changed",
    ),
    (
        "update event_log set ip = '192.0.2.1' where seq = 12",
        "event 12 was changed",
    ),
    ("delete from event_log where seq = 5", "event 5 is missing"),
    ("delete from event_log where seq > 8", "are missing"),
    ("delete from event_streams", "its log is missing"),
    (
        "update event_streams set sealed = 0, head = 0, checkpoint = null",
        "what was signed of the tree is missing",
    ),
    (
        "update event_tiles set hashes = 'AAAA' || substr(hashes, 5)",
        "was changed",
    ),
    (
        "update event_log set version = x'ff' where seq = 5",
        "cannot be read",
    ),
    (
        "insert into event_log select stream, 0, id, type, version, created_at, result,
                actor_type, actor_id, session_id, target, organization_id, request_id, data, ip,
                user_agent, salt, context_digest from event_log where seq = 5",
        "event 0 was slipped in",
    ),
    (
        "insert into event_log select stream, 1000, id, type, version, created_at, result,
                actor_type, actor_id, session_id, target, organization_id, request_id, data, ip,
                user_agent, salt, context_digest from event_log where seq = 5",
        "was slipped in",
    ),
];

/// W9: whatever is done to the database, the server's own look at it finds it, and what customers keep
/// shows what even the server can't hide.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_tampered_with_is_found_out() {
    let mut server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let plinto = CommandLine::new(&server.url(), &tenant.api_key);
    make_roles(&server, &tenant, "a", 3).await;
    let early = sealed(&plinto).await;
    server.stop().await;
    let before = fs::read(server.file()).unwrap();
    server.serve().await;
    make_roles(&server, &tenant, "b", 3).await;
    let late = sealed(&plinto).await;
    assert!(late > early);
    let folder = tempfile::tempdir().unwrap();
    let anchors = folder.path().join("anchors");
    let anchors = anchors.to_str().unwrap();
    plinto.json(&["audit", "checkpoint", "--append", anchors]);
    server.stop().await;
    let whole = fs::read(server.file()).unwrap();
    let output = server.run(&["verify"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    for (change, found) in TAMPERED {
        tamper(&server.file(), change).await;
        let output = server.run(&["verify"]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{change}: {told}");
        assert!(told.contains(found), "{change}: {told}");
        fs::write(server.file(), &whole).unwrap();
    }

    signs_nothing_else(&mut server, &tenant, &whole).await;
    fs::remove_file(server.file()).unwrap();
    let output = server.run(&["verify"]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "a database that is not there"
    );
    assert!(!server.file().exists());

    // A database of before is whole in itself; what the customer kept is not its beginning.
    fs::write(server.file(), &before).unwrap();
    let output = server.run(&["verify"]);
    assert!(output.status.success());
    server.serve().await;
    let export = folder.path().join("export.ndjson");
    let export = export.to_str().unwrap();
    plinto.json(&["audit", "export", export]);
    let (code, text) = verified(&plinto, &[export, "--anchor", anchors]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("rolled back"), "{text}");
    // And when the log has grown past it, with other events.
    make_roles(&server, &tenant, "c", 6).await;
    sealed(&plinto).await;
    let output = plinto.run(&["audit", "checkpoint", "--append", anchors]);
    assert_eq!(output.status.code(), Some(1));
    plinto.json(&["audit", "export", export, "--force"]);
    let (code, text) = verified(&plinto, &[export, "--anchor", anchors]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("rewritten"), "{text}");
    server.stop().await;
}

/// Nobody gets another history signed by having the server begin anew.
async fn signs_nothing_else(server: &mut ControlPlane, tenant: &Bootstrapped, whole: &[u8]) {
    for change in [
        "update event_log set target = 'other' where seq = 5;
            update event_streams set sealed = 0",
        "update event_log set target = 'other' where seq = 5;
            update event_streams set sealed = 0, checkpoint = null; delete from event_tiles",
    ] {
        tamper(&server.file(), change).await;
        server.serve().await;
        make_roles(server, tenant, "x", 1).await;
        until("the sealer refuses", Duration::from_secs(30), async || {
            server
                .log()
                .contains("is not the one that was signed")
                .then_some(())
        })
        .await;
        server.stop().await;
        let output = server.run(&["verify"]);
        assert_eq!(output.status.code(), Some(1), "{change}");
        fs::write(server.file(), whole).unwrap();
        server.forget_log();
    }
}

async fn tamper(file: &Path, sql: &str) {
    let url = format!("sqlite://{}", file.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let changed = connection
        .execute(AssertSqlSafe(sql.to_owned()))
        .await
        .unwrap();
    assert!(changed.rows_affected() > 0, "{sql}");
    connection.close().await.unwrap();
}
