//! The `SQLite` writer: groups share a flush, and nobody in a group is forgotten or deceived.

use std::{
    task::{Context, Waker},
    time::{Duration, Instant},
};

use plinto_platform::{
    args,
    db::{Db, DbError},
};
use plinto_tests::world::{Engine, TestDatabase};
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::{task::JoinSet, time::timeout};

const MAKE: &str = "insert into tenants
    (id, slug, name, audience, signing_alg, created_at, updated_at)
    values ($1, $1, 'Name', 'aud', 'RS256', 0, 0)";

/// Nobody waits this long unless they were forgotten.
const FORGOTTEN: Duration = Duration::from_secs(10);

async fn open() -> (TestDatabase, Db) {
    let database = TestDatabase::on(Engine::Sqlite).await;
    let db = Db::open(&database.config()).await.unwrap();
    (database, db)
}

async fn count(db: &Db) -> i64 {
    let mut tx = db.read().await.unwrap();
    tx.one::<(i64,)>("select count(*) from tenants", args![])
        .await
        .unwrap()
        .0
}

async fn write(db: Db, name: String) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    tx.execute(MAKE, args![name]).await?;
    tx.commit().await
}

/// Starts `many` writers that all wait behind one transaction, and gives that one.
async fn queue_behind(
    db: &Db,
    many: usize,
) -> (plinto_platform::db::Tx, JoinSet<Result<(), DbError>>) {
    let mut first = db.begin().await.unwrap();
    first.execute(MAKE, args!["first"]).await.unwrap();
    let mut writers = JoinSet::new();
    for number in 0..many {
        writers.spawn(write(db.clone(), format!("w{number}")));
    }
    // Each runs until it waits: the lane is taken.
    while db.waiting_writers() < many {
        tokio::task::yield_now().await;
    }
    (first, writers)
}

#[tokio::test]
async fn those_who_waited_together_share_one_flush() {
    let (_database, db) = open().await;
    let before = db.group_commits().unwrap();
    let (first, writers) = queue_behind(&db, 20).await;
    first.commit().await.unwrap();
    for result in timeout(FORGOTTEN, writers.join_all()).await.unwrap() {
        result.unwrap();
    }
    assert_eq!(count(&db).await, 21);
    assert_eq!(db.group_commits().unwrap() - before, 1);
}

#[tokio::test]
async fn a_group_ends_at_64() {
    let (_database, db) = open().await;
    let before = db.group_commits().unwrap();
    let (first, writers) = queue_behind(&db, 100).await;
    first.commit().await.unwrap();
    for result in timeout(FORGOTTEN, writers.join_all()).await.unwrap() {
        result.unwrap();
    }
    assert_eq!(count(&db).await, 101);
    assert_eq!(db.group_commits().unwrap() - before, 2);
}

#[tokio::test]
async fn nothing_is_visible_and_nobody_is_answered_before_the_flush() {
    let (_database, db) = open().await;
    let (first, mut writers) = queue_behind(&db, 1).await;
    let committing = tokio::spawn(first.commit());
    let second = timeout(FORGOTTEN, writers.join_next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    second.unwrap();
    // The second's flush was the first's too.
    timeout(FORGOTTEN, committing)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(count(&db).await, 2);
}

#[tokio::test]
async fn a_member_is_committed_when_the_one_it_relied_on_gives_up_waiting() {
    let (_database, db) = open().await;
    let (first, mut writers) = queue_behind(&db, 1).await;
    // The first finishes while the second waits, so it leaves the flush to the second. Polled by
    // hand: the second is given the lane and does not come to run.
    let mut committing = Box::pin(first.commit());
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(50) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(committing.as_mut().poll(&mut context).is_pending());
        std::thread::yield_now();
    }
    writers.abort_all();
    while writers.join_next().await.is_some() {}
    timeout(FORGOTTEN, committing).await.unwrap().unwrap();
    assert_eq!(count(&db).await, 1);
    write(db.clone(), "next".to_owned()).await.unwrap();
}

#[tokio::test]
async fn a_member_is_committed_when_the_one_it_relied_on_drops_its_turn() {
    let (_database, db) = open().await;
    let mut first = db.begin().await.unwrap();
    first.execute(MAKE, args!["first"]).await.unwrap();
    let other = db.clone();
    let dropper = tokio::spawn(async move {
        let mut tx = other.begin().await.unwrap();
        tx.execute(MAKE, args!["never"]).await.unwrap();
        panic!("a handler panicked");
    });
    while db.waiting_writers() < 1 {
        tokio::task::yield_now().await;
    }
    timeout(FORGOTTEN, first.commit()).await.unwrap().unwrap();
    dropper.await.unwrap_err();
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn a_failed_member_does_not_take_its_group_along() {
    let (_database, db) = open().await;
    let (first, writers) = queue_behind(&db, 10).await;
    let twice = tokio::spawn(write(db.clone(), "w3".to_owned()));
    while db.waiting_writers() < 11 {
        tokio::task::yield_now().await;
    }
    timeout(FORGOTTEN, first.commit()).await.unwrap().unwrap();
    for result in timeout(FORGOTTEN, writers.join_all()).await.unwrap() {
        result.unwrap();
    }
    let refused = twice.await.unwrap().unwrap_err();
    // Both of its keys are taken; which one is named is up to the engine.
    assert!(refused.constraint().is_some(), "{refused:?}");
    assert_eq!(count(&db).await, 11);
}

/// Cancelled at every point a future can be cancelled at, among others that go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_tasks_leave_nothing_and_block_nobody() {
    let (_database, db) = open().await;
    let mut steady = JoinSet::new();
    for number in 0..16 {
        let db = db.clone();
        steady.spawn(async move {
            for round in 0..20 {
                write(db.clone(), format!("s{number}r{round}"))
                    .await
                    .unwrap();
            }
        });
    }
    let mut droppers = JoinSet::new();
    for number in 0..100_u64 {
        let db = db.clone();
        droppers.spawn(async move {
            let dropped = async {
                let mut tx = db.begin().await.unwrap();
                tx.execute(MAKE, args![format!("d{number}")]).await.unwrap();
            };
            let _ = timeout(Duration::from_micros(number * 40), dropped).await;
        });
    }
    let mut answered = 0;
    for number in 0..400_u64 {
        let write = write(db.clone(), format!("c{number}"));
        let patience = Duration::from_micros(number * 17 % 6_000);
        if let Ok(result) = timeout(patience, write).await {
            result.unwrap();
            answered += 1;
        }
    }
    timeout(FORGOTTEN, steady.join_all()).await.unwrap();
    let steady = "select count(*) from tenants where id like 's%'";
    timeout(FORGOTTEN, droppers.join_all()).await.unwrap();
    let dropped = "select count(*) from tenants where id like 'd%'";
    let cancelled = "select count(*) from tenants where id like 'c%'";
    let mut tx = db.read().await.unwrap();
    assert_eq!(tx.one::<(i64,)>(steady, args![]).await.unwrap().0, 320);
    assert_eq!(tx.one::<(i64,)>(dropped, args![]).await.unwrap().0, 0);
    // One that is cancelled during its commit may have made it.
    assert!(tx.one::<(i64,)>(cancelled, args![]).await.unwrap().0 >= answered);
}

/// The commit fails at the database itself: nobody of the group is told that it worked.
#[tokio::test]
async fn a_failing_commit_answers_every_member_with_an_error() {
    let (_database, db) = open().await;
    let (mut first, writers) = queue_behind(&db, 5).await;
    // A deferred foreign key is checked at the commit, which is when this fails.
    first
        .execute("pragma defer_foreign_keys = on", args![])
        .await
        .unwrap();
    let orphan = "insert into event_cursors (tenant_id, name, epoch, seq, updated_at)
        values ('nobody', 'n', 'e', 1, 1)";
    first.execute(orphan, args![]).await.unwrap();
    let own = timeout(FORGOTTEN, first.commit())
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(own, DbError::CommitFailed(_)), "{own:?}");
    for result in timeout(FORGOTTEN, writers.join_all()).await.unwrap() {
        let error = result.unwrap_err();
        assert!(matches!(error, DbError::CommitFailed(_)), "{error:?}");
    }
    assert_eq!(count(&db).await, 0);
    write(db.clone(), "next".to_owned()).await.unwrap();
    assert_eq!(count(&db).await, 1);
}

/// Another process had the file for a moment; when it has gone, nothing of that is left.
#[tokio::test]
async fn a_transaction_that_could_not_begin_costs_the_next_one_nothing() {
    let (database, db) = open().await;
    // Who can't have the file is told so at once.
    let mut tx = db.begin().await.unwrap();
    tx.all::<(i64,)>("pragma busy_timeout = 0", args![])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut other = SqliteConnection::connect(&database.url).await.unwrap();
    for round in 0..3 {
        other.execute("begin immediate").await.unwrap();
        let error = db.begin().await.unwrap_err();
        assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
        other.execute("rollback").await.unwrap();
        write(db.clone(), format!("next-{round}")).await.unwrap();
    }
    assert_eq!(count(&db).await, 3);
}

/// The engine ends the whole group on a full disk, and nobody saw the statement fail.
#[tokio::test]
async fn a_cancelled_statement_that_ended_the_group_does_not_deceive_the_next() {
    let (_database, db) = open().await;
    let mut first = db.begin().await.unwrap();
    first.execute(MAKE, args!["first"]).await.unwrap();
    let (cancelled, next) = (db.clone(), db.clone());
    let cancelled = tokio::spawn(async move {
        let mut tx = cancelled.begin().await.unwrap();
        tx.all::<(i64,)>("pragma max_page_count = 1", args![])
            .await
            .unwrap();
        let large = "x".repeat(1_000_000);
        // Where a trigger runs, too, only the statement would be undone.
        let write = "insert into event_log_epochs (epoch) values ($1)";
        let mut statement = Box::pin(tx.execute(write, args![large]));
        // Sent, and not waited for.
        let mut context = Context::from_waker(Waker::noop());
        let _ = statement.as_mut().poll(&mut context);
    });
    while db.waiting_writers() < 1 {
        tokio::task::yield_now().await;
    }
    let next = tokio::spawn(write(next, "next".to_owned()));
    while db.waiting_writers() < 2 {
        tokio::task::yield_now().await;
    }
    let error = timeout(FORGOTTEN, first.commit())
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, DbError::CommitFailed(_)), "{error:?}");
    cancelled.await.unwrap();
    let stored = timeout(FORGOTTEN, next).await.unwrap().unwrap().is_ok();
    assert_eq!(count(&db).await, i64::from(stored));
}

#[tokio::test]
async fn a_transaction_that_outlives_its_database_is_told_so() {
    let (_database, db) = open().await;
    let other = db.clone();
    let closing = tokio::spawn(async move { other.close().await });
    timeout(FORGOTTEN, closing).await.unwrap().unwrap();
    // Whatever of it works, it ends, and not with a promise.
    let late = timeout(FORGOTTEN, write(db.clone(), "late".to_owned()))
        .await
        .unwrap();
    assert!(late.is_err());
    let empty = async { db.begin().await?.commit().await };
    assert!(timeout(FORGOTTEN, empty).await.unwrap().is_err());
}
