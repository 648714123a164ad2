//! Connecting, telling whose database it is, and bringing it up to date.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use super::{Limits, Pools, Postgres};
use crate::{
    config::Config,
    db::{OpenError, history, migrations},
};

/// How tables of somebody else are recognised: there are some, and none is our history. The
/// catalogue tells of all, whatever we may read.
const TABLES: &str = "select count(*), count(*) filter (where relname = '_sqlx_migrations')
    from pg_catalog.pg_class
    where relkind in ('r', 'p') and relnamespace = (
        select oid from pg_catalog.pg_namespace where nspname = current_schema())";

/// sqlx's own table, as it makes it on both engines.
const MAKE_HISTORY: &str = "create table if not exists _sqlx_migrations (
    version bigint primary key,
    description text not null,
    installed_on timestamptz not null default now(),
    success boolean not null,
    checksum bytea not null,
    execution_time bigint not null
)";

const APPLIED: &str = "insert into _sqlx_migrations
    (version, description, success, checksum, execution_time) values ($1, $2, true, $3, -1)";

const LOOK: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whoever brings the database up to date holds this number, with no limit on how long that takes.
/// `plinto` in ASCII.
const BEGIN_MIGRATION: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(x'706c696e746f'::bigint)";

/// 4: connections for documents. One reading of each is under way, and takes a millisecond.
const DOCUMENT_CONNECTIONS: u32 = 4;
/// 3: one that numbers events, one that tells others of it, one that hears of it.
const SEQUENCER_CONNECTIONS: u32 = 3;
/// 1 s: a connection that was used less long ago is not asked whether it still stands.
const RESTED: Duration = Duration::from_secs(1);
/// 5 s: who has not answered by then is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// Connects, checks whose database it is, and brings it up to date.
/// `upgrade`: bring an older database up to this version.
pub(in crate::db) async fn open(config: &Config, upgrade: bool) -> Result<Pools, OpenError> {
    let options = PgConnectOptions::from_str(config.database.url.expose())
        .map_err(|error| OpenError::unreachable(&"the database URL", &error))?
        .application_name("plinto")
        // Of no use without floating point, and poolers refuse it.
        .extra_float_digits(None)
        .log_statements(tracing::log::LevelFilter::Off);
    // Never the whole URL: it holds the password.
    let name = format!(
        "postgres://{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    let unreachable = |error: sqlx::Error| OpenError::unreachable(&name, &error);
    // By itself, not by the pool, which would try for seconds and then not say what was wrong.
    let mut connection = connect(&options).await.map_err(unreachable)?;
    connection.execute(LOOK).await.map_err(unreachable)?;
    let is_current = is_current(&mut connection, &name, upgrade).await?;
    connection.execute("COMMIT").await.map_err(unreachable)?;
    if !is_current {
        migrate(&mut connection, &name, upgrade).await?;
    }
    let keeps_statements = keeps_session(&mut connection, &options).await;
    if !keeps_statements {
        tracing::info!(
            "the database gives each transaction another session: statements are not kept prepared"
        );
    }
    let _ = connection.close().await;
    let pool = |connections, limits: Limits| Postgres {
        pool: pool(connections, limits).connect_lazy_with(options.clone()),
        keeps_statements,
        limits: limits.sql(),
    };
    let request = Duration::from_secs(config.http.timeout_s);
    Ok(Pools {
        work: pool(config.database.max_connections, Limits::within(request)),
        documents: pool(DOCUMENT_CONNECTIONS, Limits::of_document()),
        sequencer: pool(SEQUENCER_CONNECTIONS, Limits::of_sequencer()),
    })
}

fn pool(connections: u32, limits: Limits) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(limits.connection)
        // A connection is tested when it comes back; only after a rest is it worth asking again.
        .test_before_acquire(false)
        .before_acquire(|connection, past| {
            Box::pin(async move {
                if past.idle_for >= RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    timeout(CONNECT, options.connect())
        .await
        .unwrap_or_else(|_| {
            let text = "no answer within 5 seconds";
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, text).into())
        })
}

/// Whether nothing is to be done. Needs no more than to read.
/// Errors: a database that is not ours or of another version; of an older one unless `upgrade`.
async fn is_current(
    connection: &mut PgConnection,
    name: &str,
    upgrade: bool,
) -> Result<bool, OpenError> {
    let unreachable = |error: sqlx::Error| OpenError::unreachable(&name, &error);
    let (tables, ours): (i64, i64) = sqlx::query_as(TABLES)
        .persistent(false)
        .fetch_one(&mut *connection)
        .await
        .map_err(unreachable)?;
    if tables > 0 && ours == 0 {
        return Err(OpenError::Foreign {
            database: name.to_owned(),
        });
    }
    if ours == 0 {
        return Ok(false);
    }
    let applied = sqlx::query_as::<_, history::Applied>(history::SQL)
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(unreachable)?;
    history::check(&migrations::POSTGRES, &name, &applied, upgrade)
}

/// Runs what is missing, all of it or nothing. Of several processes one does it: the history is read
/// again under the lock that the others wait for.
async fn migrate(
    connection: &mut PgConnection,
    name: &str,
    upgrade: bool,
) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::migration(&name, &error);
    connection.execute(BEGIN_MIGRATION).await.map_err(failed)?;
    if !is_current(connection, name, upgrade).await? {
        apply_missing(connection).await.map_err(failed)?;
    }
    connection.execute("COMMIT").await.map_err(failed)?;
    Ok(())
}

async fn apply_missing(connection: &mut PgConnection) -> sqlx::Result<()> {
    connection.execute(MAKE_HISTORY).await?;
    let applied = sqlx::query_as::<_, history::Applied>(history::SQL)
        .persistent(false)
        .fetch_all(&mut *connection)
        .await?;
    for migration in history::missing(&migrations::POSTGRES, &applied) {
        connection.execute(migration.sql.clone()).await?;
        sqlx::query(APPLIED)
            .persistent(false)
            .bind(migration.version)
            .bind(&*migration.description)
            .bind(&*migration.checksum)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Whether a connection of ours has a session of the server's to itself. A pooler in transaction
/// mode gives the session that one connection has just used to the next that asks.
/// When that can't be found out, nothing is relied on.
async fn keeps_session(first: &mut PgConnection, options: &PgConnectOptions) -> bool {
    sessions(first, options)
        .await
        .is_ok_and(|[before, others, after]| before == after && before != others)
}

/// The sessions of the first connection, of another one that is in a transaction then, and of the
/// first again.
async fn sessions(first: &mut PgConnection, options: &PgConnectOptions) -> sqlx::Result<[i32; 3]> {
    let before = session(first).await?;
    let mut second = connect(options).await?;
    second.execute("BEGIN").await?;
    let others = session(&mut second).await?;
    let after = session(first).await?;
    let _ = second.close().await;
    Ok([before, others, after])
}

/// The server's name for the session that runs this statement. One message, so that it is one
/// session whatever stands between.
async fn session(connection: &mut PgConnection) -> sqlx::Result<i32> {
    let row = connection.fetch_one("select pg_backend_pid()").await?;
    row.try_get(0)
}
