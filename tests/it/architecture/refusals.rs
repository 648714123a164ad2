//! Every rule is shown one offence and must refuse it, and nothing where there is none.

mod control_plane;

use super::RULES;
use super::house::House;

/// Paths and texts of a made-up repository.
type Files = Vec<(String, &'static str)>;

/// A rule's name, files that offend, and files that don't.
#[expect(clippy::too_many_lines, reason = "a table")]
fn offences() -> Vec<(&'static str, Files, Files)> {
    let own = str::to_owned;
    vec![
        (
            "N1",
            vec![(own("jose/Cargo.toml"), "[dependencies]\ntokio = \"1\"")],
            vec![(own("jose/src/a.rs"), "use std::fmt;")],
        ),
        (
            "N1",
            vec![(own("contract/src/a.rs"), "use std::fs;")],
            vec![(own("contract/src/a.rs"), "// std::fs")],
        ),
        (
            "N2",
            vec![(
                own("edge-worker/Cargo.toml"),
                "[target.'cfg(unix)'.dependencies]\ncontrol-plane = \"1\"",
            )],
            vec![(
                own("edge-worker/Cargo.toml"),
                "[dependencies]\nplinto-jose = \"1\"",
            )],
        ),
        (
            "N1",
            vec![(own("jose/src/a.rs"), "use std::{fmt, net::{self, IpAddr}};")],
            vec![(own("jose/src/a.rs"), "use std::{fmt, sync::{Arc}};")],
        ),
        (
            "N1",
            vec![(
                own("jose/Cargo.toml"),
                "[dependencies]\nnumbers = { version = \"1\", package = \"tokio\" }",
            )],
            vec![(
                own("jose/Cargo.toml"),
                "[dependencies]\nnumbers = { version = \"1\", package = \"hex\" }",
            )],
        ),
        (
            "N2",
            vec![
                (
                    own("cli/Cargo.toml"),
                    "[build-dependencies]\nserver = { workspace = true }",
                ),
                (
                    own("Cargo.toml"),
                    "[workspace.dependencies]\nserver = { path = \"control-plane\", package = \"control-plane\" }",
                ),
            ],
            vec![
                (
                    own("cli/Cargo.toml"),
                    "[dependencies]\nplinto-policy = { workspace = true }",
                ),
                (
                    own("Cargo.toml"),
                    "[workspace.dependencies]\nplinto-policy = { path = \"policy-wasm\", package = \"policy-wasm\" }",
                ),
            ],
        ),
        (
            "N2",
            vec![(own("Cargo.toml"), "[workspace]\nmembers = [\"ninth\"]")],
            vec![(own("Cargo.toml"), "[workspace]\nmembers = [\"jose\"]")],
        ),
        (
            "N3",
            vec![(own("cli/Cargo.toml"), "[dependencies]\nsqlx = \"1\"")],
            vec![(own("cli/Cargo.toml"), "[dependencies]\nclap = \"1\"")],
        ),
        (
            "idioms",
            vec![(own("jose/src/a.rs"), "async fn look_again() {}")],
            vec![(own("jose/src/a.rs"), "async fn recheck() { let look = 1; }")],
        ),
        (
            "idioms",
            vec![(own("edge-worker/src/a.rs"), "mod doors;")],
            vec![(own("edge-worker/src/a.rs"), "mod routes;")],
        ),
        (
            "claims",
            vec![(
                own("tests/src/a.rs"),
                "fn f() -> AccessToken { AccessToken { iss, sub } }",
            )],
            vec![(
                own("tests/src/a.rs"),
                "fn f() -> AccessToken { AccessToken { iss, ..known() } }",
            )],
        ),
        (
            "N2",
            vec![(
                own("control-plane/platform/Cargo.toml"),
                "[dependencies]\nplinto-tenancy.workspace = true",
            )],
            vec![(
                own("control-plane/platform/Cargo.toml"),
                "[dependencies]\nplinto-contract.workspace = true",
            )],
        ),
        (
            "N11",
            vec![(own("jose/src/a.rs"), "fn f() { SystemTime::now(); }")],
            vec![(
                own("control-plane/platform/src/clock.rs"),
                "fn f() { SystemTime::now(); }",
            )],
        ),
        (
            "N12 env",
            vec![(
                own("control-plane/src/start.rs"),
                "fn f() { std::env::var(\"A\"); }",
            )],
            vec![(
                own("control-plane/platform/src/config.rs"),
                "fn f() { std::env::var(\"A\"); }",
            )],
        ),
        (
            "N12 env",
            vec![(
                own("control-plane/src/start.rs"),
                "use std::env::{self, var};",
            )],
            vec![],
        ),
        (
            "N12 secrets",
            vec![(
                own("cli/src/a.rs"),
                "#[derive(Debug)]\nstruct A {\n    password: String,\n}",
            )],
            vec![(
                own("cli/src/a.rs"),
                "#[derive(Clone)]\nstruct A {\n    password: String,\n}\n#[derive(Debug)]\nstruct B {\n    password: Secret,\n}",
            )],
        ),
        (
            "N13 allow",
            vec![(own("jose/src/a.rs"), "#[allow(dead_code)]\nfn f() {}")],
            vec![(own("jose/src/a.rs"), "// #[allow(dead_code)]")],
        ),
        (
            "N13 allow",
            vec![(own("jose/src/a.rs"), "#[expect(dead_code)]\nfn f() {}")],
            vec![(
                own("jose/src/a.rs"),
                "#[expect(dead_code, reason = \"soon\")]\nfn f() {}",
            )],
        ),
        (
            "N13 panics",
            vec![(
                own("jose/src/a.rs"),
                "#[expect(\n    clippy::unwrap_used,\n    reason = \"never\"\n)]\nfn f() {}",
            )],
            vec![(
                own("jose/src/a.rs"),
                "#[expect(clippy::print_stderr, reason = \"never\")]\nfn f() {}\n#[cfg(test)]\nmod tests {\n #![expect(clippy::panic, reason = \"a test\")]\n}",
            )],
        ),
        (
            "N14",
            vec![(own("edge-worker/src/gate.rs"), "use worker::Request;")],
            vec![(own("edge-worker/src/lib.rs"), "use worker::Request;")],
        ),
        (
            "N14",
            vec![(own("edge-worker/src/gate.rs"), "use worker::{Request};")],
            vec![],
        ),
        (
            "N14",
            vec![(own("edge-worker/src/gate.rs"), "fn f() { g().await }")],
            vec![],
        ),
        (
            "N14",
            vec![
                (own("edge-worker/src/gate.rs"), "use crate::{keys::Keys};"),
                (own("edge-worker/src/keys.rs"), "use crate::deep;"),
                (own("edge-worker/src/deep/mod.rs"), "use web_sys::Request;"),
            ],
            vec![
                (own("edge-worker/src/gate.rs"), "use crate::{keys::Keys};"),
                (own("edge-worker/src/keys.rs"), ""),
                (own("edge-worker/src/deep/mod.rs"), "use web_sys::Request;"),
            ],
        ),
        (
            "rings",
            vec![
                (
                    own("edge-worker/src/gate.rs"),
                    "use crate::{memory::Memory};",
                ),
                (
                    own("edge-worker/src/memory.rs"),
                    "fn f() { crate::rim::see(); }",
                ),
                (
                    own("edge-worker/src/rim.rs"),
                    "use crate::{config, gate::WAIT_MS};",
                ),
            ],
            vec![
                (
                    own("edge-worker/src/gate.rs"),
                    "use crate::{memory::Memory, rim::Rim};",
                ),
                (
                    own("edge-worker/src/memory.rs"),
                    "fn f() { crate::rim::see(); }",
                ),
                (
                    own("edge-worker/src/rim.rs"),
                    "use crate::{config, rim::deep};",
                ),
            ],
        ),
        (
            "N17",
            vec![(
                own("control-plane/src/start.rs"),
                "fn f() { info!(\"hello\", email = %email); }",
            )],
            vec![(
                own("control-plane/src/start.rs"),
                "fn f() { info!(\"email\", user.id = %id); }",
            )],
        ),
        (
            "N17",
            vec![(
                own("control-plane/src/start.rs"),
                "fn f() { tracing::warn!(user.id = %id, \"signed in as {email:?}\"); }",
            )],
            vec![(
                own("control-plane/src/start.rs"),
                "fn f() { warn!(\"signed in as {id}\"); format!(\"{email}\"); }",
            )],
        ),
        (
            "N17",
            vec![(
                own("control-plane/src/start.rs"),
                "fn f() { debug_span!(\"x\", %token); }",
            )],
            vec![],
        ),
        (
            "N18",
            vec![(own("jose/src/utils.rs"), "")],
            vec![(own("jose/src/jws.rs"), "")],
        ),
        (
            "N19",
            vec![(own("jose/src/a.rs"), "fn f() {}")],
            vec![(own("jose/src/a.rs"), "//! A.\n")],
        ),
        (
            "N20",
            vec![(own("jose/src/a.rs"), "#[ignore]\nfn f() {}")],
            vec![(own("jose/src/a.rs"), "// #[ignore]")],
        ),
        (
            "N20",
            vec![(own("tests/it/a.rs"), "fn f() { std::thread::sleep(d) }")],
            vec![(own("tests/src/a.rs"), "fn f() { tokio::time::sleep(d) }")],
        ),
        (
            "N20",
            vec![(
                own("tests/it/a.rs"),
                "use tokio::time::{Duration, sleep as rest};\nfn f() { rest(d) }",
            )],
            vec![(
                own("tests/it/a.rs"),
                "use tokio::time::{Duration, timeout};",
            )],
        ),
        (
            "N20",
            vec![(
                own("jose/tests/a.rs"),
                "#[cfg_attr(\n    windows,\n    ignore\n)]\nfn f() {}",
            )],
            vec![(
                own("jose/tests/a.rs"),
                "#[cfg_attr(windows, test)]\nfn f() {}",
            )],
        ),
        (
            "map",
            vec![(own("docs/architecture.md"), "see `jose/src/gone.rs`")],
            vec![
                (
                    own("docs/architecture.md"),
                    "see `jose/src/a.rs`, `application/json`",
                ),
                (own("jose/src/a.rs"), ""),
            ],
        ),
        (
            "map",
            vec![(own("docs/guides/a.md"), "[x](../gone.md)")],
            vec![
                (
                    own("docs/guides/a.md"),
                    "[x](../here.md#part) [y](https://example.com)",
                ),
                (own("docs/here.md"), ""),
            ],
        ),
    ]
}

fn all() -> Vec<(&'static str, Files, Files)> {
    let mut all = offences();
    all.extend(control_plane::offences());
    all
}

#[test]
fn every_rule_refuses_its_offence() {
    for (name, bad, good) in all() {
        let rule = RULES.iter().find(|rule| rule.name == name).unwrap();
        let house = |files: &[(String, &str)]| {
            House::with(
                &files
                    .iter()
                    .map(|(path, text)| (path.as_str(), *text))
                    .collect::<Vec<_>>(),
            )
        };
        let refused = (rule.offences)(&house(&bad));
        assert!(!refused.is_empty(), "{name} let this pass: {bad:?}");
        let passed = (rule.offences)(&house(&good));
        assert!(
            passed.is_empty(),
            "{name} refused this: {good:?}: {passed:?}"
        );
    }
}

#[test]
fn long_files_and_decisions_are_refused() {
    let long = format!("//! Long.\n{}", "// line\n".repeat(600));
    let n19 = RULES.iter().find(|rule| rule.name == "N19").unwrap();
    assert_eq!(
        (n19.offences)(&House::with(&[("jose/src/a.rs", &long)])).len(),
        1
    );
    assert_eq!(
        (n19.offences)(&House::with(&[("tests/it/a.rs", &long)])).len(),
        0
    );
    let words = RULES.iter().find(|rule| rule.name == "words").unwrap();
    let page = "line\n".repeat(41);
    assert_eq!(
        (words.offences)(&House::with(&[("docs/decisions/0001-a.md", &page)])).len(),
        1
    );
}

#[test]
fn missing_lints_are_refused() {
    let n13 = RULES.iter().find(|rule| rule.name == "N13 lints").unwrap();
    let offences = (n13.offences)(&House::with(&[(
        "jose/Cargo.toml",
        "[lints]\nworkspace = true",
    )]));
    assert!(
        offences
            .iter()
            .any(|offence| offence.contains("`unwrap_used`"))
    );
    assert!(
        offences
            .iter()
            .any(|offence| offence.starts_with("contract/"))
    );
    let of_jose = "jose/Cargo.toml";
    assert!(!offences.iter().any(|offence| offence.starts_with(of_jose)));
}

#[test]
fn a_library_without_its_strict_lints_is_refused() {
    let n13 = RULES.iter().find(|rule| rule.name == "N13 lints").unwrap();
    let text = "#![deny(clippy::arithmetic_side_effects, missing_docs)]";
    let offences = (n13.offences)(&House::with(&[("jose/src/lib.rs", text)]));
    let of_jose: Vec<_> = offences
        .iter()
        .filter(|offence| offence.starts_with("jose/src/lib.rs"))
        .collect();
    assert_eq!(
        of_jose,
        ["jose/src/lib.rs does not deny `clippy::as_conversions`"]
    );
    let forbids = "[workspace.lints.rust]\nunsafe_code = \"deny\"";
    let offences = (n13.offences)(&House::with(&[("Cargo.toml", forbids)]));
    assert!(offences[0].contains("`unsafe_code`"), "{offences:?}");
}

#[test]
fn no_rule_goes_unshown() {
    let shown: Vec<&str> = all().into_iter().map(|(name, _, _)| name).collect();
    for rule in RULES
        .iter()
        .filter(|rule| !["N13 lints", "words"].contains(&rule.name))
    {
        assert!(
            shown.contains(&rule.name),
            "{} was never shown an offence",
            rule.name
        );
    }
}
