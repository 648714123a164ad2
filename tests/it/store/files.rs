//! A database that is not ours, or of another version, is named in one line and left untouched.

use std::{collections::BTreeMap, fs, path::Path};

use plinto_platform::db::{Db, OpenError};
use plinto_tests::world::{Engine, TestDatabase};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

/// Every file of the folder with its bytes.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

async fn refused(database: &TestDatabase) -> OpenError {
    let before = bytes(database.folder());
    let error = Db::open(&database.config()).await.unwrap_err();
    assert_eq!(bytes(database.folder()), before, "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    error
}

/// A database of ours, closed, and a connection to change it with.
async fn closed() -> (TestDatabase, SqliteConnection) {
    let database = TestDatabase::on(Engine::Sqlite).await;
    let db = Db::open(&database.config()).await.unwrap();
    db.close().await;
    let connection = SqliteConnection::connect(&database.url).await.unwrap();
    (database, connection)
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_untouched() {
    let database = TestDatabase::on(Engine::Sqlite).await;
    fs::write(database.folder().join("plinto.sqlite"), "a shopping list").unwrap();
    assert!(matches!(
        refused(&database).await,
        OpenError::Foreign { .. }
    ));
}

#[tokio::test]
async fn another_programs_database_is_left_untouched() {
    let database = TestDatabase::on(Engine::Sqlite).await;
    let url = format!("{}?mode=rwc", database.url);
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    connection
        .execute("create table shopping (item text)")
        .await
        .unwrap();
    connection.close().await.unwrap();
    assert!(matches!(
        refused(&database).await,
        OpenError::Foreign { .. }
    ));
}

#[tokio::test]
async fn a_newer_versions_database_is_left_untouched() {
    let (database, mut connection) = closed().await;
    let newer = "insert into _sqlx_migrations
        (version, description, success, checksum, execution_time) values (9999, 'later', 1, x'00', 1)";
    connection.execute(newer).await.unwrap();
    connection.close().await.unwrap();
    let error = refused(&database).await;
    assert!(
        matches!(error, OpenError::Newer { version: 9999, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_with_another_history_is_left_untouched() {
    let (database, mut connection) = closed().await;
    let other = "update _sqlx_migrations set checksum = x'00' where version = 2";
    connection.execute(other).await.unwrap();
    connection.close().await.unwrap();
    let error = refused(&database).await;
    assert!(
        matches!(error, OpenError::Diverged { version: 2, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_older_versions_database_waits_for_migrate() {
    let (database, mut connection) = closed().await;
    connection
        .execute("delete from _sqlx_migrations where version = 9")
        .await
        .unwrap();
    connection
        .execute("drop table idempotency_keys")
        .await
        .unwrap();
    connection.close().await.unwrap();
    let error = refused(&database).await;
    assert!(
        matches!(error, OpenError::Older { missing: 1, .. }),
        "{error}"
    );
    let db = Db::migrate(&database.config()).await.unwrap();
    db.close().await;
    Db::open(&database.config()).await.unwrap();
}

/// What cannot be read is not taken for a database that was never finished.
#[tokio::test]
async fn a_damaged_database_is_named_and_left_untouched() {
    let (damaged, connection) = closed().await;
    connection.close().await.unwrap();
    let file = damaged.folder().join("plinto.sqlite");
    let whole = fs::read(&file).unwrap();
    // Behind the file's header: where the tables are listed; and a copy that broke off.
    let mut overwritten = whole.clone();
    overwritten[100..4_096].fill(0xa5);
    let broken_off = whole[..whole.len() / 2 - 1_000].to_vec();
    for content in [overwritten, broken_off] {
        fs::write(&file, content).unwrap();
        let error = refused(&damaged).await;
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert!(
            error.to_string().contains("restore it from a backup"),
            "{error}"
        );
    }
    fs::write(&file, whole).unwrap();
    Db::open(&damaged.config()).await.unwrap();
}

/// A start that was cut off before its first migration is taken up again.
#[tokio::test]
async fn a_database_that_was_never_finished_is_finished() {
    let (database, mut connection) = closed().await;
    let listed = "select type, name from sqlite_master where type in ('table', 'view')";
    let tables: Vec<(String, String)> = sqlx::query_as(listed)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection
        .execute("pragma foreign_keys = off")
        .await
        .unwrap();
    for (kind, name) in tables {
        let drop = AssertSqlSafe(format!("drop {kind} {name}"));
        connection.execute(drop).await.unwrap();
    }
    connection.close().await.unwrap();
    let db = Db::open(&database.config()).await.unwrap();
    db.ping().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_can_read_the_file() {
    use std::os::unix::fs::MetadataExt;
    let database = TestDatabase::on(Engine::Sqlite).await;
    let _db = Db::open(&database.config()).await.unwrap();
    for entry in fs::read_dir(database.folder()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().mode() & 0o777,
            0o600,
            "{:?}",
            entry.path()
        );
    }
}

/// After a crash the mark must be in the file, not only in its write-ahead log.
#[tokio::test]
async fn a_database_that_was_never_closed_is_known_as_ours() {
    let database = TestDatabase::on(Engine::Sqlite).await;
    let db = Db::open(&database.config()).await.unwrap();
    let copy = TestDatabase::on(Engine::Sqlite).await;
    for (name, content) in bytes(database.folder()) {
        if !name.ends_with("-shm") {
            fs::write(copy.folder().join(name), content).unwrap();
        }
    }
    drop(db);
    let db = Db::open(&copy.config()).await.unwrap();
    db.ping().await.unwrap();
}
