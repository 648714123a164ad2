//! The database layer: one suite for both engines, then what only one of them has.

mod faults;
mod files;
mod group_commit;
mod only_on_postgres;
mod plans;

/// The suite on a `SQLite` file.
mod on_sqlite {
    use plinto_tests::world::Engine;

    const ENGINE: Engine = Engine::Sqlite;

    include!("suite.rs");
}

/// The same suite on a `PostgreSQL` server.
mod on_postgres {
    use plinto_tests::world::Engine;

    const ENGINE: Engine = Engine::Postgres;

    include!("suite.rs");
}
