//! How `SQLite` finds what the statements of all stores ask for: by an index, however full a table is.

use std::{collections::BTreeMap, fs, path::Path};

use plinto_platform::db::Db;
use plinto_tests::{
    process::root,
    world::{Engine, TestDatabase},
};
use regex::Regex;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// Statements that read all there is of something, and why that is never much.
const SHORT: &[(&str, &str)] = &[
    (
        "events AFTER",
        "a tenant has one log; its events by their number",
    ),
    ("events COUNT_CURSORS", "a tenant has at most 100 cursors"),
    (
        "events FIND",
        "a tenant has one log; its events by their moment",
    ),
    (
        "events HEAD",
        "there is one epoch, and a tenant has one log",
    ),
    (
        "audit COUNT",
        "one for each tenant, for whoever can open the database",
    ),
    ("audit DUE", "only logs that have grown are in the index"),
    ("audit KEY", "a tenant has one key"),
    ("audit PUT_TILE", "a tenant has one log"),
    ("audit SEAL", "a tenant has one log"),
    ("audit STREAM", "a tenant has one log"),
    (
        "audit TILE",
        "a tenant has one log; its tiles by their place",
    ),
    (
        "events LOGGED_AFTER",
        "a tenant has one log; its events by their number",
    ),
    ("events OF_KIND", "a tenant has one log; its events by kind"),
    ("tenants INSERT", "a new tenant has nothing yet"),
    ("policies ACTIVE", "one row, the last by its index"),
    ("policies FIND", "one activation, the last by its index"),
    ("policies LIST", "one activation, the last by its index"),
    ("administrators COUNT", "a tenant has at most 1,000"),
    ("roles ALL_GRANTS", "a tenant has at most 256"),
    ("roles BYTES", "a tenant has at most 256"),
    ("roles COUNT", "a tenant has at most 256"),
    ("roles GRANTS", "a tenant has at most 256"),
    ("roles VERSION", "a tenant has one set"),
    ("roles BUNDLE_BUILT", "a tenant has one set"),
    ("roles PUT_OFF_BUNDLE", "a tenant has one set"),
    ("signing_keys ANY_SEALED", "one row, the first there is"),
    ("signing_keys ALL", "a tenant makes a few a year"),
    ("signing_keys IN_STATE", "a tenant makes a few a year"),
    ("signing_keys PUBLISHED", "a tenant makes a few a year"),
    ("signing_keys PUT_OFF_BUNDLE", "a tenant makes a few a year"),
    ("signing_keys RETIRE_DUE", "a tenant makes a few a year"),
    (
        "signing_keys WITHDRAWN_SINCE",
        "a tenant makes a few a year",
    ),
    (
        "events BEFORE",
        "a tenant has one log; its events by their number",
    ),
    (
        "events BEFORE_BY_ACTOR",
        "a tenant has one log; its events by actor",
    ),
    (
        "events BEFORE_BY_KIND",
        "a tenant has one log; its events by kind",
    ),
    (
        "events BEFORE_BY_TARGET",
        "a tenant has one log; its events by target",
    ),
    (
        "events LAST_UNTIL",
        "a tenant has one log; its events by their moment",
    ),
    ("events SET_EPOCH", "there is one epoch"),
    ("tenants ANY", "one row, the first there is"),
    ("tenants ONLY", "two rows, the first there are"),
];

/// Statements that an index has to lead to the few rows of a long log, and by which columns.
const LED: &[(&str, &str)] = &[
    ("events AFTER", "(stream=? AND seq>?)"),
    ("events BEFORE", "(stream=? AND seq<?)"),
    (
        "events BEFORE_BY_ACTOR",
        "(stream=? AND actor_id=? AND seq<?)",
    ),
    ("events BEFORE_BY_KIND", "(stream=? AND type=? AND seq<?)"),
    (
        "events BEFORE_BY_TARGET",
        "(stream=? AND target=? AND seq<?)",
    ),
    ("events FIND", "(stream=? AND created_at=?)"),
    ("events LAST_UNTIL", "(stream=? AND created_at<?)"),
    ("events LOGGED_AFTER", "(stream=? AND seq>?)"),
    ("events OF_KIND", "(stream=? AND type=? AND seq>?)"),
];

/// Every statement of every store: `feature NAME` and its text.
fn statements() -> BTreeMap<String, String> {
    let constant =
        Regex::new(r#"const (\w+): &str =\s*"((?:select|insert|update|delete|with)\b[^"]*)""#);
    let constant = constant.unwrap();
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("control-plane")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("store.rs") {
                let feature = path.parent().and_then(Path::file_name).unwrap();
                let text = fs::read_to_string(&path).unwrap();
                for capture in constant.captures_iter(&text) {
                    let name = format!("{} {}", feature.display(), &capture[1]);
                    let other = found.insert(name.clone(), capture[2].to_owned());
                    assert_eq!(other, None, "two statements are called {name}");
                }
            }
        }
    }
    found
}

/// The steps of a plan that read a table from end to end, or all that a tenant has in it.
fn long(tables: &[String], plan: &[String]) -> Vec<String> {
    let is_long = |step: &&String| {
        let words: Vec<&str> = step.split(' ').collect();
        let is_scan = words[0] == "SCAN" && tables.iter().any(|table| table == words[1]);
        is_scan || step.ends_with("(tenant_id=?)")
    };
    plan.iter().filter(is_long).cloned().collect()
}

/// Whether a statement has a filter that may be absent: no index serves both.
fn has_optional_filter(sql: &str) -> bool {
    let optional = Regex::new(r"\$\d+ (is null|= ''|= 0) or\b").unwrap();
    optional.is_match(sql)
}

async fn plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let explain = format!("explain query plan {sql}");
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(explain))
        .fetch_all(connection)
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.into_iter().map(|(_, _, _, step)| step).collect()
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let database = TestDatabase::on(Engine::Sqlite).await;
    let db = Db::open(&database.config()).await.unwrap();
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    let tables: Vec<(String,)> =
        sqlx::query_as("select name from sqlite_master where type = 'table'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let tables: Vec<String> = tables.into_iter().map(|(name,)| name).collect();
    // What must not be: everything read, all of a tenant read, a filter that may be absent.
    for sql in [
        "select id from users where name = $1",
        "select id from users where tenant_id = $1 and name = $2",
    ] {
        let plan = plan(&mut connection, sql).await;
        assert_eq!(long(&tables, &plan).len(), 1, "{plan:?}");
    }
    assert!(has_optional_filter(
        "select id from users where tenant_id = $1 and ($2 is null or status = $2)"
    ));
    let statements = statements();
    assert!(statements.len() > 80, "{}", statements.len());
    let mut offences = Vec::new();
    for (name, sql) in &statements {
        let long = long(&tables, &plan(&mut connection, sql).await);
        let is_short = SHORT.iter().any(|(known, _)| known == name);
        if !long.is_empty() && !is_short {
            offences.push(format!("{name}: {long:?}"));
        }
        if has_optional_filter(sql) {
            offences.push(format!("{name}: a filter that may be absent"));
        }
    }
    for (name, columns) in LED {
        let plan = plan(&mut connection, &statements[*name]).await;
        if !plan.iter().any(|step| step.ends_with(columns)) {
            offences.push(format!("{name}: {plan:?}"));
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
    db.close().await;
}
