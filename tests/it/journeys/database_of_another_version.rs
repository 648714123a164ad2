//! A database that another version made is refused with one line, and left as it was.

use plinto_platform::config::Config;
use plinto_platform::db::{Args, Db};
use plinto_platform::secret::Secret;
use plinto_tests::process::ControlPlane;

use super::AUDIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused_and_untouched() {
    let mut server = ControlPlane::start().await;
    server.bootstrap("acme", AUDIENCE);
    assert_eq!(server.stop().await, Some(0));
    let file = server.file();
    pretend_a_newer_version_was_here(&file).await;
    let before = std::fs::read(&file).unwrap();

    for arguments in [
        &["serve"][..],
        &["migrate"],
        &["bootstrap", "--tenant", "b", "--audience", "c"],
    ] {
        let output = server.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let all = format!("{}{errors}", String::from_utf8_lossy(&output.stdout));
        assert!(!output.status.success(), "{arguments:?} went on: {all}");
        assert!(all.contains("newer"), "{arguments:?}: {all}");
    }
    assert_eq!(
        std::fs::read(&file).unwrap(),
        before,
        "the file was written to"
    );
}

pub(super) async fn pretend_a_newer_version_was_here(file: &std::path::Path) {
    let mut config = Config::default();
    config.database.url = Secret::new(format!("sqlite:{}", file.display()));
    let db = Db::open(&config).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.execute(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'the future', true, x'00', 0)",
        Args::default(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}
