//! Offences against the rules inside the control plane.

use super::Files;
use crate::architecture::arrows::folder;

/// A rule's name, files that offend, and files that don't.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn offences() -> Vec<(&'static str, Files, Files)> {
    let feature = |path: &str| {
        let (name, file) = path.split_once('/').unwrap();
        format!("{}/{file}", folder(name))
    };
    let own = str::to_owned;
    vec![
        (
            "N4 SQL",
            vec![(
                feature("users/service.rs"),
                "const Q: &str = \"SELECT id\n from users\";",
            )],
            vec![
                (
                    feature("users/store.rs"),
                    "const Q: &str = \"select id from users\";",
                ),
                (feature("users/service.rs"), "const Q: &str = \"selected\";"),
            ],
        ),
        (
            "N4 engine",
            vec![(feature("users/store.rs"), "use sqlx::postgres::PgRow;")],
            vec![(
                own("control-plane/platform/src/db/mod.rs"),
                "use sqlx::postgres::PgRow;",
            )],
        ),
        (
            "N4 engine",
            vec![(feature("users/service.rs"), "use sqlx::FromRow;")],
            vec![(feature("users/store.rs"), "use sqlx::FromRow;")],
        ),
        (
            "N5",
            vec![(feature("users/service.rs"), "use axum::Json;")],
            vec![(feature("users/rest.rs"), "use axum::Json;")],
        ),
        (
            "N5",
            vec![(feature("users/model.rs"), "async fn f() {}")],
            vec![(feature("users/service.rs"), "async fn f() {}")],
        ),
        (
            "N6",
            vec![(feature("users/rest.rs"), "use super::store::find;")],
            vec![(feature("users/service.rs"), "use super::store::find;")],
        ),
        (
            "N7",
            vec![(
                feature("users/service.rs"),
                "pub(crate) async fn disable(platform: &Platform, id: UserId) {}",
            )],
            vec![(
                feature("users/service.rs"),
                "pub(crate) async fn disable(platform: &Platform, actor: &Actor) {}\npub async fn face(tx: &mut Tx) {}\nasync fn own() {}",
            )],
        ),
        (
            "N7",
            vec![(
                feature("users/service.rs"),
                "pub(crate) async fn disable(platform: &Platform, _actor: &Actor) {}",
            )],
            vec![],
        ),
        (
            "N8",
            vec![(
                feature("users/store.rs"),
                "pub(super) async fn find(tx: &mut Tx, _tenant: TenantId) {}",
            )],
            vec![],
        ),
        (
            "N8",
            vec![(
                feature("users/store.rs"),
                "pub(super) async fn find(tx: &mut Tx, id: UserId) {}",
            )],
            vec![(
                feature("users/store.rs"),
                "pub(super) async fn find(tx: &mut Tx, tenant: TenantId, id: UserId) {}",
            )],
        ),
        (
            "N9 order",
            vec![(
                feature("users/service.rs"),
                "use plinto_identity::sessions;",
            )],
            vec![(
                feature("sessions/service.rs"),
                "use plinto_directory::users;",
            )],
        ),
        (
            "N9 order",
            vec![(
                feature("users/service.rs"),
                "use plinto_identity::{sessions, oauth::X};",
            )],
            vec![(
                feature("oauth/service.rs"),
                "use plinto_directory::{users, roles};",
            )],
        ),
        (
            "N9 order",
            vec![(
                feature("users/service.rs"),
                "use crate::{roles::{self, A}, organizations};",
            )],
            vec![(
                feature("organizations/service.rs"),
                "use crate::{roles::{self, A}, users};\nuse plinto_platform::Platform;",
            )],
        ),
        (
            "N9 order",
            vec![(
                feature("users/service.rs"),
                "use plinto_identity::{oauth, sessions};",
            )],
            vec![(
                feature("oauth/service.rs"),
                "use plinto_directory::{users, roles};",
            )],
        ),
        (
            "N9 order",
            vec![(
                feature("users/service/verb.rs"),
                "fn f() { super::super::super::organizations::open(); }",
            )],
            vec![(
                feature("users/service/verb.rs"),
                "fn f() { super::super::store::open(); }",
            )],
        ),
        (
            "N9 order",
            vec![(feature("users/service.rs"), "use plinto_tenancy as all;")],
            vec![(
                feature("users/service.rs"),
                "use plinto_tenancy::tenants as all;",
            )],
        ),
        (
            "N9 order",
            vec![(feature("users/service.rs"), "use crate::*;")],
            vec![],
        ),
        (
            "N9 order",
            vec![(feature("users/mod.rs"), "pub(crate) mod store;")],
            vec![(feature("users/mod.rs"), "mod store;")],
        ),
        (
            "N9 tables",
            vec![
                (
                    own("control-plane/migrations/1.sql"),
                    "create table users (id text)",
                ),
                (
                    feature("users/store.rs"),
                    "const A: &str = \"insert into users values (1)\";",
                ),
                (
                    feature("roles/store.rs"),
                    "const A: &str = \"select 1 from roles join users on 1 = 1\";",
                ),
            ],
            vec![
                (
                    own("control-plane/migrations/1.sql"),
                    "create table users (id text)",
                ),
                (
                    feature("users/store.rs"),
                    "const A: &str = \"insert into users values (1)\";",
                ),
            ],
        ),
        (
            "arrows",
            vec![
                (own("control-plane/platform/src/http/page.rs"), ""),
                (
                    own("control-plane/platform/src/platform.rs"),
                    "use crate::{db::Db, http::Slots};",
                ),
            ],
            vec![
                (
                    own("control-plane/platform/src/http/page.rs"),
                    "use crate::{Platform, db::Db, http::Json};",
                ),
                (own("control-plane/platform/src/db/mod.rs"), ""),
            ],
        ),
        (
            "arrows",
            vec![
                (
                    own("control-plane/platform/src/db/mod.rs"),
                    "use super::events;",
                ),
                (own("control-plane/platform/src/events/mod.rs"), ""),
            ],
            vec![],
        ),
        (
            "arrows",
            vec![(
                own("control-plane/platform/src/recheck.rs"),
                "use crate::Platform;",
            )],
            vec![],
        ),
        (
            "arrows",
            vec![(own("control-plane/platform/src/anywhere.rs"), "")],
            vec![],
        ),
        (
            "drawn",
            vec![(
                own("control-plane/directory/src/lib.rs"),
                "//! From left to right: users, organizations, roles.",
            )],
            vec![(
                own("control-plane/directory/src/lib.rs"),
                "//! From left to right: users,\n//! `roles`, organizations.",
            )],
        ),
        (
            "drawn",
            vec![(
                own("docs/architecture.md"),
                "| `directory` | users · roles |",
            )],
            vec![],
        ),
        (
            "inside",
            vec![(
                feature("policies/error.rs"),
                "use super::service::check::Refusal;",
            )],
            vec![(
                feature("policies/service/check.rs"),
                "use crate::policies::{error::Refusal, store};",
            )],
        ),
        (
            "inside",
            vec![(
                feature("policies/store.rs"),
                "use crate::policies::service::check;",
            )],
            vec![(feature("policies/store.rs"), "use super::model::Bundle;")],
        ),
        (
            "states",
            vec![(
                feature("tenants/service.rs"),
                "pub struct Cache;\nimpl PlatformState for Cache {}",
            )],
            vec![(
                feature("tenants/service.rs"),
                "struct Cache;\nimpl PlatformState for Cache {}",
            )],
        ),
        (
            "N10",
            vec![(
                feature("users/service.rs"),
                "async fn f() { tx.commit().await }",
            )],
            vec![(
                feature("users/service.rs"),
                "async fn f() { work.record(kind); work.commit().await }",
            )],
        ),
        (
            "N21",
            vec![(
                feature("roles/service.rs"),
                "async fn create(platform: &Platform) { let tx = platform\n    .db\n    .begin()\n    .await?; }",
            )],
            vec![(
                feature("roles/service.rs"),
                "async fn create(platform: &Platform) { let work = authority::begin(platform, actor, Need::Person).await?; }",
            )],
        ),
        (
            "N21",
            vec![(
                feature("roles/service.rs"),
                "async fn create(platform: &Platform) { authority::begin(platform, actor, Need::Open).await?; }",
            )],
            vec![(
                feature("sign_in/service.rs"),
                "async fn enter(platform: &Platform) { authority::begin(platform, actor, Need::Open).await?; }",
            )],
        ),
        (
            "N21",
            vec![(
                feature("roles/service.rs"),
                "use crate::authority::begin_own as go;",
            )],
            vec![(
                feature("sessions/service.rs"),
                "async fn run_due_work(platform: &Platform) { authority::begin_own(platform).await?; }",
            )],
        ),
        (
            "N22",
            vec![(
                own("control-plane/platform/src/http/layers.rs"),
                "fn takes_keys(route: &str) -> bool {\n    route.starts_with(\"/v1/\")\n}",
            )],
            vec![
                (
                    own("control-plane/platform/src/http/layers.rs"),
                    "// route.starts_with(\"/v1/\")\nfn f() { g(\"/v1/users\"); path.starts_with(\"/v10/\"); }",
                ),
                (
                    own("control-plane/src/router.rs"),
                    "fn f() { path.starts_with(\"/v1/\"); }",
                ),
                (
                    feature("oauth/rest.rs"),
                    "#[utoipa::path(post, path = \"/t/{tenant}/oauth/token\")]\nfn f() {}\n#[cfg(test)]\nmod tests { fn g() { assert!(path == \"/v1/users\"); } }",
                ),
            ],
        ),
        (
            "N22",
            vec![(
                own("control-plane/src/openapi.rs"),
                "fn f() { if !path\n    .contains(\"/oauth/\") {} }",
            )],
            vec![],
        ),
        (
            "N22",
            vec![(
                own("control-plane/src/openapi.rs"),
                "fn f() { match path { \"/t/{tenant}/oauth/introspect\" => 1, _ => 2 } }",
            )],
            vec![],
        ),
        (
            "N22",
            vec![(
                own("control-plane/src/authentication.rs"),
                "fn f() { matches!(route, r\"/v1/users\") }",
            )],
            vec![],
        ),
        (
            "work",
            vec![(
                feature("roles/service.rs"),
                "async fn insert(\n    tx: &mut Tx,\n    platform: &Platform,\n    actor: &Actor,\n) {}",
            )],
            vec![(
                feature("roles/service.rs"),
                "async fn insert(work: &mut Work<'_>) {}\nasync fn read(tx: &mut Tx, platform: &Platform) {}\nasync fn verb(platform: &Platform, actor: &Actor) {}",
            )],
        ),
        (
            "work",
            vec![(
                feature("roles/service.rs"),
                "async fn insert(work: Work<'_>, actor: &Actor) {}",
            )],
            vec![],
        ),
    ]
}
