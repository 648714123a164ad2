//! `PostgreSQL`: a pool.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{MIGRATIONS, OpenError, history};

/// How tables of somebody else are recognised: there are some, and none is our history.
const TABLES: &str = "select count(*), count(*) filter (where table_name = '_sqlx_migrations')
    from information_schema.tables where table_schema = current_schema()";

/// 1 s: a connection that was used less long ago is not asked whether it still stands.
const RESTED: Duration = Duration::from_secs(1);

/// Connects, checks whose database it is, and brings it up to date.
/// `upgrade`: bring an older database up to this version.
pub(super) async fn open(url: &str, connections: u32, upgrade: bool) -> Result<PgPool, OpenError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| OpenError::unreachable(&"the database URL", &error))?
        .application_name("plinto")
        .log_statements(tracing::log::LevelFilter::Off);
    // Never the whole URL: it holds the password.
    let name = format!(
        "postgres://{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
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
        .connect_with(options)
        .await
        .map_err(|error| OpenError::unreachable(&name, &error))?;
    let (tables, ours): (i64, i64) = sqlx::query_as(TABLES)
        .fetch_one(&pool)
        .await
        .map_err(|error| OpenError::unreachable(&name, &error))?;
    if tables > 0 && ours == 0 {
        return Err(OpenError::Foreign { database: name });
    }
    if ours > 0 {
        let applied = sqlx::query_as::<_, history::Applied>(history::SQL)
            .fetch_all(&pool)
            .await
            .map_err(|error| OpenError::unreachable(&name, &error))?;
        history::check(&name, &applied, upgrade)?;
    }
    MIGRATIONS
        .run(&pool)
        .await
        .map_err(|error| OpenError::migration(&name, &error))?;
    Ok(pool)
}
