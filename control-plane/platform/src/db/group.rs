//! The one `SQLite` writer, which commits in groups.
//!
//! A disk flush costs milliseconds, a statement microseconds. So transactions take turns on one
//! connection, each inside a savepoint of a shared database transaction, and the disk is flushed
//! once for all who finished: when nobody is waiting for the connection, or at the 64th. Nobody is told
//! that a commit succeeded before that flush has.
//!
//! Whoever holds the [`Lane`] has the connection. A transaction ends in one of three ways, and in each the
//! lane reaches the committer task or the next in line:
//! - committed: its savepoint is released, its answer slot joins the group;
//! - dropped (error, panic, cancelled request): the lane goes to the committer, which rolls the
//!   savepoint back before anybody else runs;
//! - cancelled while still waiting: the committer checks whether it was the last one waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use super::DbError;
use crate::fault;

/// 64: a group beyond this makes the first member wait longer than the saved flushes are worth.
pub(super) const GROUP_MAX: usize = 64;

/// 5 s: a disk that has not let the writers before us finish by then is not working.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(5);

type Answer = Result<(), String>;

/// The write connection and the group that is being gathered on it.
#[derive(Debug)]
pub(super) struct Lane {
    connection: SqliteConnection,
    phase: Phase,
    /// The savepoint of a transaction may be open.
    in_transaction: bool,
    members: Vec<oneshot::Sender<Answer>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    /// `BEGIN` was sent and its answer not seen.
    Opening,
    Open,
    /// Open, as far as we know: the engine may have rolled it back by itself (full disk, I/O error).
    Doubtful,
}

enum Message {
    /// A transaction ended here; the lane comes along.
    Ended(OwnedMutexGuard<Lane>),
    /// Somebody stopped waiting.
    StoppedWaiting,
    /// The database is closing.
    Close(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Shared {
    lane: Arc<Mutex<Lane>>,
    waiting: AtomicUsize,
    commits: AtomicU64,
    group_max: usize,
    committer: mpsc::UnboundedSender<Message>,
}

/// Begins write transactions, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Writer(Arc<Shared>);

impl Writer {
    /// Takes over the write connection. `group_max` of 1 flushes for each transaction.
    pub(super) fn start(connection: SqliteConnection, group_max: usize) -> Self {
        let (committer, messages) = mpsc::unbounded_channel();
        let lane = Lane {
            connection,
            phase: Phase::Closed,
            in_transaction: false,
            members: Vec::new(),
        };
        let shared = Arc::new(Shared {
            lane: Arc::new(Mutex::new(lane)),
            waiting: AtomicUsize::new(0),
            commits: AtomicU64::new(0),
            group_max,
            committer,
        });
        // It ends when the last `Shared` is gone, so it holds none itself.
        #[expect(
            clippy::disallowed_methods,
            reason = "lives as long as the database, not as Platform"
        )]
        tokio::spawn(commit_groups(Arc::downgrade(&shared), messages));
        Self(shared)
    }

    /// Waits for the connection and opens a savepoint.
    /// Errors: `Unavailable` when it is not free in time.
    pub(super) async fn begin(&self) -> Result<GroupedTransaction, DbError> {
        let wait = Waiting::enter(&self.0);
        let lane = tokio::time::timeout(BEGIN_TIMEOUT, Arc::clone(&self.0.lane).lock_owned())
            .await
            .map_err(|_| DbError::Unavailable(sqlx::Error::PoolTimedOut))?;
        wait.served();
        let mut transaction = GroupedTransaction {
            shared: Arc::clone(&self.0),
            lane: Some(lane),
        };
        transaction.open().await?;
        Ok(transaction)
    }

    /// How many times the disk was flushed for a group.
    pub(super) fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }

    /// How many wait for the connection.
    pub(super) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    /// Commits what is finished and closes the connection; later transactions fail.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.0.committer.send(Message::Close(done)).is_ok() {
            let _ = closed.await;
        }
    }
}

/// Counts somebody who waits, and tells the committer when they give up.
struct Waiting<'a> {
    shared: &'a Shared,
    served: bool,
}

impl<'a> Waiting<'a> {
    fn enter(shared: &'a Shared) -> Self {
        shared.waiting.fetch_add(1, Ordering::SeqCst);
        Self {
            shared,
            served: false,
        }
    }

    fn served(mut self) {
        self.served = true;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
        if !self.served {
            let _ = self.shared.committer.send(Message::StoppedWaiting);
        }
    }
}

/// A transaction inside a savepoint of the shared one.
#[derive(Debug)]
pub(super) struct GroupedTransaction {
    shared: Arc<Shared>,
    /// `None` once the lane has been passed on.
    lane: Option<OwnedMutexGuard<Lane>>,
}

impl GroupedTransaction {
    async fn open(&mut self) -> Result<(), DbError> {
        let Some(lane) = self.lane.as_mut() else {
            return Err(DbError::Aborted);
        };
        if lane.phase == Phase::Closed {
            lane.phase = Phase::Opening;
            lane.run("BEGIN IMMEDIATE").await?;
            lane.phase = Phase::Open;
        }
        lane.in_transaction = true;
        lane.run("SAVEPOINT grouped").await?;
        Ok(())
    }

    /// The connection, while the transaction lasts.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, DbError> {
        match self.lane.as_mut() {
            Some(lane) => Ok(&mut lane.connection),
            None => Err(DbError::Aborted),
        }
    }

    /// Tells the lane about a failed statement.
    pub(super) fn note(&mut self, error: &sqlx::Error) {
        if let Some(lane) = self.lane.as_mut()
            && may_have_rolled_back(error)
        {
            lane.doubt();
        }
    }

    /// Ends the transaction and waits until the disk has it.
    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        let answer = self.finish().await?;
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(DbError::CommitFailed(reason)),
            Err(_) => Err(DbError::CommitFailed("the writer stopped".to_owned())),
        }
    }

    async fn finish(&mut self) -> Result<oneshot::Receiver<Answer>, DbError> {
        let Some(lane) = self.lane.as_mut() else {
            return Err(DbError::Aborted);
        };
        lane.run("RELEASE grouped").await?;
        lane.in_transaction = false;
        let (slot, answer) = oneshot::channel();
        lane.members.push(slot);
        let is_full = lane.members.len() >= self.shared.group_max;
        if is_full || self.shared.waiting.load(Ordering::SeqCst) == 0 {
            self.pass_to_committer();
        } else {
            self.lane = None;
            // INVARIANT: a group never stays without a commit. The one we relied on may have given
            // up between our check and our letting go of the lane.
            if self.shared.waiting.load(Ordering::SeqCst) == 0 {
                let _ = self.shared.committer.send(Message::StoppedWaiting);
            }
        }
        Ok(answer)
    }

    fn pass_to_committer(&mut self) {
        let Some(lane) = self.lane.take() else {
            return;
        };
        let sent = self.shared.committer.send(Message::Ended(lane));
        // The database was closed: those who wait for an answer learn that none will come.
        if let Err(mpsc::error::SendError(Message::Ended(mut lane))) = sent {
            lane.members.clear();
        }
    }
}

impl Drop for GroupedTransaction {
    fn drop(&mut self) {
        self.pass_to_committer();
    }
}

impl Lane {
    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        let result = sqlx::query(sql).execute(&mut self.connection).await;
        if let Err(error) = &result {
            tracing::warn!(sql, %error, "a transaction statement failed");
            if may_have_rolled_back(error) {
                self.doubt();
            }
        }
        result.map(|_| ())
    }

    /// Notes that the group's transaction may be gone. Without one there is nothing to doubt: what
    /// happened to it can say nothing about the next.
    fn doubt(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Doubtful;
        }
    }

    /// Undoes what a dropped transaction left behind.
    async fn sweep(&mut self) {
        if self.phase == Phase::Opening {
            // Nobody can be a member of a group that was not open yet. Fails when `BEGIN` had.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            self.phase = Phase::Closed;
            self.in_transaction = false;
        }
        if self.in_transaction {
            // Fails when the transaction was dropped before its savepoint was there: nothing to undo then.
            let back = sqlx::query("ROLLBACK TO grouped")
                .execute(&mut self.connection)
                .await;
            match back {
                Ok(_) => {
                    if self.run("RELEASE grouped").await.is_err() {
                        self.doubt();
                    }
                }
                Err(_) if self.is_gone().await => self.doubt(),
                Err(_) => {}
            }
            self.in_transaction = false;
        }
    }

    /// Whether the engine has ended the group's transaction by itself: of a cancelled statement
    /// nobody sees how it failed. Only without a transaction can one begin.
    async fn is_gone(&mut self) -> bool {
        let begun = sqlx::query("BEGIN").execute(&mut self.connection).await;
        if begun.is_ok() {
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        }
        begun.is_ok()
    }

    /// Flushes the group and answers its members.
    async fn commit(&mut self) -> bool {
        if self.phase == Phase::Closed {
            return false;
        }
        let result = if self.phase == Phase::Doubtful {
            Err("the database rolled the group back".to_owned())
        } else {
            fault::reach("group_done");
            let committed = sqlx::query("COMMIT").execute(&mut self.connection).await;
            fault::reach("group_committed");
            committed.map(|_| ()).map_err(|error| error.to_string())
        };
        if let Err(reason) = &result {
            tracing::error!(
                reason,
                members = self.members.len(),
                "a group commit failed"
            );
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        }
        self.phase = Phase::Closed;
        for member in self.members.drain(..) {
            // A member that was cancelled meanwhile no longer listens.
            let _ = member.send(result.clone());
        }
        true
    }
}

/// Codes after which `SQLite` may have ended the whole transaction by itself: interrupted, out of
/// memory, I/O, corruption, disk full, and a cut-off connection.
/// Source: `sqlite.org/lang_transaction.html` §2.1.
fn may_have_rolled_back(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => database
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .is_some_and(|code| matches!(code & 0xff, 5 | 7 | 9 | 10 | 11 | 13)),
        sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => true,
        _ => false,
    }
}

async fn commit_groups(
    shared: std::sync::Weak<Shared>,
    mut messages: mpsc::UnboundedReceiver<Message>,
) {
    while let Some(message) = messages.recv().await {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let mut lane = match message {
            Message::Ended(lane) => lane,
            // Somebody else has the lane: the end of their transaction decides.
            Message::StoppedWaiting => match Arc::clone(&shared.lane).try_lock_owned() {
                Ok(lane) => lane,
                Err(_) => continue,
            },
            Message::Close(done) => {
                close(&shared, &mut messages).await;
                let _ = done.send(());
                return;
            }
        };
        settle(&shared, &mut lane).await;
    }
}

async fn settle(shared: &Shared, lane: &mut Lane) {
    lane.sweep().await;
    let is_last = shared.waiting.load(Ordering::SeqCst) == 0;
    let is_doubtful = lane.phase == Phase::Doubtful;
    if (is_last || is_doubtful || lane.members.len() >= shared.group_max) && lane.commit().await {
        shared.commits.fetch_add(1, Ordering::Relaxed);
    }
}

async fn close(shared: &Shared, messages: &mut mpsc::UnboundedReceiver<Message>) {
    // Transactions that are under way hand their lane in here, so both are listened to.
    let mut lane = loop {
        tokio::select! {
            lane = Arc::clone(&shared.lane).lock_owned() => break lane,
            message = messages.recv() => {
                if let Some(Message::Ended(mut lane)) = message {
                    settle(shared, &mut lane).await;
                }
            }
        }
    };
    lane.sweep().await;
    lane.commit().await;
    if let Ok(memory) = SqliteConnection::connect("sqlite::memory:").await {
        let connection = std::mem::replace(&mut lane.connection, memory);
        if let Err(error) = connection.close().await {
            tracing::warn!(%error, "the write connection did not close cleanly");
        }
    }
}
