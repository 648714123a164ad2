//! What holds for transactions on both engines.

use std::time::Duration;

use plinto_platform::{
    args,
    db::{Db, DbError, Tx},
};
use plinto_tests::world::TestDatabase;

use crate::setup::{apply, each_database, each_database_with_threads};

const MAKE_TENANT: &str = "insert into tenants
    (id, slug, name, audience, signing_alg, created_at, updated_at)
    values ($1, $2, 'Name', 'aud', 'RS256', $3, $3)";
const COUNT: &str = "select count(*) from tenants";
const MAKE_EVENT: &str =
    "insert into event_log (stream, seq, id, type, version, created_at, result,
    actor_type, actor_id, target, request_id, data)
    values (1, $1, $2, 'k', 1, 1, 'success', 'system', '', 't', $3, '{}')";

async fn open(database: &TestDatabase) -> Db {
    Db::open(&database.config()).await.unwrap()
}

async fn make(tx: &mut Tx, name: &str) -> Result<u64, DbError> {
    tx.execute(MAKE_TENANT, args![name, name, 5_i64]).await
}

async fn count(db: &Db) -> i64 {
    let mut tx = db.read().await.unwrap();
    tx.one::<(i64,)>(COUNT, args![]).await.unwrap().0
}

#[apply(each_database)]
async fn what_was_committed_is_there_and_what_was_dropped_is_not(database: TestDatabase) {
    let db = open(&database).await;
    let mut tx = db.begin().await.unwrap();
    assert_eq!(make(&mut tx, "kept").await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "dropped").await.unwrap();
    drop(tx);
    assert_eq!(count(&db).await, 1);
    // The writer is free again.
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "dropped").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&db).await, 2);
}

#[apply(each_database)]
async fn every_kind_of_value_comes_back_as_it_went_in(database: TestDatabase) {
    let db = open(&database).await;
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "t").await.unwrap();
    tx.execute(MAKE_EVENT, args![1_i64, "e1", None::<String>])
        .await
        .unwrap();
    tx.execute(MAKE_EVENT, args![2_i64, "e2", "zażółć ' \" \u{1f512}"])
        .await
        .unwrap();
    let sql = "select id, request_id, created_at from event_log order by id";
    let rows = tx
        .all::<(String, Option<String>, i64)>(sql, args![])
        .await
        .unwrap();
    assert_eq!(rows[0], ("e1".to_owned(), None, 1));
    assert_eq!(rows[1].1.as_deref(), Some("zażółć ' \" \u{1f512}"));
    let sql = "select id from event_log where ($1 is null or request_id = $1) order by id";
    let all = tx
        .all::<(String,)>(sql, args![None::<String>])
        .await
        .unwrap();
    assert_eq!(all.len(), 2);
    let none = tx
        .optional::<(String,)>(sql, args!["nobody"])
        .await
        .unwrap();
    assert_eq!(none, None);
}

#[apply(each_database)]
async fn a_refusing_constraint_has_the_same_name_on_both_engines(database: TestDatabase) {
    let db = open(&database).await;
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "taken").await.unwrap();
    tx.commit().await.unwrap();
    let cases: [(&'static str, plinto_platform::db::Args, &str); 3] = [
        (
            MAKE_TENANT,
            args!["other", "taken", 1_i64],
            "tenants_slug_key",
        ),
        (
            MAKE_TENANT,
            args!["taken", "other", 1_i64],
            "tenants_id_key",
        ),
        (
            "insert into event_cursors (tenant_id, name, epoch, seq, updated_at)
            values ($1, 'n', 'e', 1, 1)",
            args!["nobody"],
            plinto_platform::db::FOREIGN_KEY,
        ),
    ];
    for (sql, args, name) in cases {
        let mut tx = db.begin().await.unwrap();
        let error = tx.execute(sql, args).await.unwrap_err();
        assert_eq!(error.constraint(), Some(name), "{error:?}");
    }
    assert_eq!(count(&db).await, 1);
}

#[apply(each_database)]
async fn a_failed_transaction_can_only_be_dropped(database: TestDatabase) {
    let db = open(&database).await;
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "a").await.unwrap();
    make(&mut tx, "a").await.unwrap_err();
    let again = make(&mut tx, "b").await.unwrap_err();
    assert!(matches!(again, DbError::Aborted), "{again:?}");
    let commit = tx.commit().await.unwrap_err();
    assert!(matches!(commit, DbError::Aborted), "{commit:?}");
    assert_eq!(count(&db).await, 0);
}

#[apply(each_database)]
async fn a_reading_transaction_sees_one_state_and_cannot_write(database: TestDatabase) {
    let db = open(&database).await;
    let mut reader = db.read().await.unwrap();
    assert_eq!(reader.one::<(i64,)>(COUNT, args![]).await.unwrap().0, 0);
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "new").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(reader.one::<(i64,)>(COUNT, args![]).await.unwrap().0, 0);
    assert!(make(&mut reader, "written").await.is_err());
    drop(reader);
    assert_eq!(count(&db).await, 1);
}

#[apply(each_database)]
async fn a_database_that_was_closed_has_kept_everything(database: TestDatabase) {
    let db = open(&database).await;
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "kept").await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
    let db = open(&database).await;
    assert_eq!(count(&db).await, 1);
}

/// 64 writers, every third of which gives up in one of three ways.
#[apply(each_database_with_threads)]
async fn what_64_writers_were_told_is_what_is_stored(database: TestDatabase) {
    let db = open(&database).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..64_i64 {
        let db = db.clone();
        writers.spawn(async move {
            let mut answered = 0;
            for round in 0..4_i64 {
                let name = format!("w{writer}r{round}");
                let mut tx = db.begin().await.unwrap();
                make(&mut tx, &name).await.unwrap();
                match (writer + round) % 6 {
                    0 => drop(tx),
                    1 => {
                        make(&mut tx, &name).await.unwrap_err();
                    }
                    2 => {
                        // Cancelled somewhere on its way.
                        let patience = Duration::from_micros(50 * writer.unsigned_abs());
                        let work = async move {
                            tx.execute(
                                MAKE_EVENT,
                                args![format!("e{name}"), &name, None::<String>],
                            )
                            .await?;
                            drop(tx);
                            Ok::<(), DbError>(())
                        };
                        let _ = tokio::time::timeout(patience, work).await;
                    }
                    _ => {
                        tx.commit().await.unwrap();
                        answered += 1;
                    }
                }
            }
            answered
        });
    }
    let answered: i64 = writers.join_all().await.into_iter().sum();
    assert_eq!(count(&db).await, answered);
    assert!(answered > 100);
}

/// Two that read the same row and change it: one waits for the other, nothing is lost.
#[apply(each_database_with_threads)]
async fn increments_by_many_are_all_counted(database: TestDatabase) {
    let db = open(&database).await;
    let mut tx = db.begin().await.unwrap();
    make(&mut tx, "counter").await.unwrap();
    tx.commit().await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let db = db.clone();
        writers.spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let sql =
                "update tenants set updated_at = updated_at + 1 where id = $1 returning updated_at";
            tx.one::<(i64,)>(sql, args!["counter"]).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    writers.join_all().await;
    let mut tx = db.read().await.unwrap();
    let sql = "select updated_at from tenants where id = $1";
    assert_eq!(
        tx.one::<(i64,)>(sql, args!["counter"]).await.unwrap().0,
        5 + 32
    );
}
