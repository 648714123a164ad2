//! Policy folders as people have them, as a person runs them: the real binary in a temporary folder.

#[cfg(test)]
mod cli {
    use std::{
        fs,
        path::Path,
        process::{Command, Output},
    };

    use plinto_jose::{Algorithm, SigningKey};
    use serde_json::{Value, json};
    use tempfile::TempDir;

    const MANIFEST: &str =
        r#"{"roots":["shop","plinto"],"metadata":{"plinto":{"entrypoint":"shop/decision"}}}"#;
    const POLICY: &str = r#"package shop

default decision := {"allow": false, "reasons": ["nobody"]}

decision := {"allow": true} if {
	print("asked by", input.subject.id)
	input.action.name == "read"
	input.subject.properties.roles[_] == "editor"
}
"#;
    const ROUTES: &str = r#"{"routes":[
        {"methods":["GET"],"path":"/items/{id}","action":"read","resource_type":"item","resource_id":"{id}"},
        {"methods":["GET"],"path":"/open","action":"look","resource_type":"open","public":true}]}"#;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (path, text) in files {
            let path = folder.path().join("p").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn shop() -> TempDir {
        folder(&[
            (".manifest", MANIFEST),
            ("shop/main.rego", POLICY),
            ("plinto/data.json", ROUTES),
        ])
    }

    fn run(folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_plinto"))
            .arg("policy")
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .output()
            .unwrap()
    }

    /// What it printed on both streams, and its exit code.
    fn said(folder: &Path, arguments: &[&str]) -> (i32, String) {
        let output = run(folder, arguments);
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(&String::from_utf8(output.stderr).unwrap());
        (output.status.code().unwrap(), text)
    }

    fn told(folder: &Path, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--output", "json"]);
        let output = run(folder, &arguments);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn token() -> String {
        let claims = json!({
            "iss": "https://id.example.com/t/acme",
            "sub": "user_01h455vb4pex5vsknk084sn02q",
            "aud": "https://app.example.com",
            "exp": 1_763_300_700, "iat": 1_763_300_100,
            "jti": "tok_01h455vb4pex5vsknk084sn02q",
            "client_id": "plinto",
            "sid": "sess_01h455vb4pex5vsknk084sn02q",
            "tenant": "tenant_01h455vb4pex5vsknk084sn02q",
            "roles": ["editor"], "epoch": 1, "amr": ["pwd"], "auth_time": 1_763_300_000,
        });
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        key.sign(Some("at+jwt"), claims.to_string().as_bytes())
            .unwrap()
    }

    #[test]
    fn a_request_is_shown_with_its_route_input_decision_and_prints() {
        let folder = shop();
        let token = token();
        let arguments = ["eval", "p", "--path", "/items/a%20b", "--token", &token];
        let (code, text) = said(folder.path(), &arguments);
        assert_eq!(code, 0, "{text}");
        for part in [
            "route: GET /items/{id}, read of item",
            "\"id\": \"a b\"",
            "decision: allowed",
            "printed shop/main.rego:6: asked by user_01h455vb4pex5vsknk084sn02q",
            "decoded, not verified",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let shown = told(folder.path(), &arguments);
        assert_eq!(shown["decision"]["allow"], true);
        assert_eq!(shown["token_verified"], false);
        assert_eq!(
            shown["input"]["subject"]["properties"],
            json!({
                "amr": ["pwd"], "auth_time": 1_763_300_000, "client_id": "plinto", "roles": ["editor"],
                "sid": "sess_01h455vb4pex5vsknk084sn02q",
                "tenant": "tenant_01h455vb4pex5vsknk084sn02q",
            })
        );
        assert_eq!(shown["printed"][0]["line"], 6);
    }

    #[test]
    fn what_the_edge_would_not_ask_the_policy_is_said() {
        let folder = shop();
        let refused = told(folder.path(), &["eval", "p", "--path", "/none"]);
        assert_eq!(refused["decision"]["reasons"], json!(["no_route"]));
        let (code, text) = said(folder.path(), &["eval", "p", "--path", "/items/1"]);
        assert_eq!(code, 1);
        assert!(text.contains("401"), "{text}");
        let open = told(folder.path(), &["eval", "p", "--path", "/open"]);
        assert_eq!(open["input"]["subject"]["type"], "anonymous");
        assert_eq!(open["decision"]["reasons"], json!(["nobody"]));
        let query = ["eval", "p", "--path", "/open?x=/none#y"];
        assert_eq!(
            told(folder.path(), &query)["input"]["context"]["path"],
            "/open"
        );
        assert_eq!(said(folder.path(), &["eval", "p", "--path", "/a//b"]).0, 2);
        assert_eq!(said(folder.path(), &["eval", "p"]).0, 2);
        let other = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.";
        let arguments = ["eval", "p", "--path", "/items/1", "--token", other];
        assert_eq!(said(folder.path(), &arguments).0, 1);
    }

    #[test]
    fn any_rule_can_be_asked() {
        let folder = folder(&[(
            "a.rego",
            "package a.b\n\nx contains input.n\n\ny[\"k-1\"] := 2\n\nz if false\n\nw := 1 if true\n\nw := 2 if true\n",
        )]);
        fs::write(folder.path().join("input.json"), r#"{"n":3}"#).unwrap();
        let value = |rule: &str| {
            told(
                folder.path(),
                &["eval", "p", "--input", "input.json", "--rule", rule],
            )
        };
        assert_eq!(value("data.a.b.x")["value"], json!([3]));
        assert_eq!(value("data.a.b.y[\"k-1\"]")["value"], 2);
        assert_eq!(value("data.a.b.z")["is_defined"], false);
        assert_eq!(value("data.a.b.w")["fault"]["reason"], "evaluation_error");
        assert_eq!(said(folder.path(), &["eval", "p", "--rule", "a.b"]).0, 2);
        let (code, text) = said(folder.path(), &["eval", "p", "--input", "input.json"]);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(".manifest"), "{text}");
    }

    #[test]
    fn numbers_are_asked_and_shown_as_they_are_written() {
        let folder = folder(&[(
            "a.rego",
            "package a\n\nis_big if input.big > 12345678901234567890122\n\nall := input.all\n",
        )]);
        let input = r#"{"big":12345678901234567890123,"all":[1e2,1.50,1e400]}"#;
        fs::write(folder.path().join("input.json"), input).unwrap();
        let shown = |arguments: &[&str]| {
            let mut all = vec!["eval", "p", "--input", "input.json", "--rule"];
            all.extend(arguments);
            let (code, text) = said(folder.path(), &all);
            assert_eq!(code, 0, "{text}");
            text
        };
        assert!(shown(&["data.a.is_big"]).contains("data.a.is_big is true"));
        let text = shown(&["data.a.all", "--output", "json"]);
        assert!(text.contains("\"big\": 12345678901234567890123"), "{text}");
        let value = "\"value\": [\n    1e2,\n    1.50,\n    1e400\n  ]";
        assert!(text.contains(value), "{text}");
        fs::write(folder.path().join("input.json"), "{\"a\":\n1 1}").unwrap();
        let arguments = ["eval", "p", "--input", "input.json", "--rule", "data.a"];
        let (code, text) = said(folder.path(), &arguments);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("line 2 column 3"), "{text}");
    }

    #[test]
    fn what_is_left_out_or_missing_is_said_by_every_command() {
        let folder = folder(&[
            (".manifest", MANIFEST),
            ("shop/main.rego", POLICY),
            ("README.md", "#"),
            ("input.json", r#"{"user":"a"}"#),
            (".git/config", ""),
        ]);
        for command in ["check", "test", "build", "publish"] {
            let mut arguments = vec![command, "p"];
            if matches!(command, "build" | "publish") {
                arguments.push("--dry-run");
            }
            let (code, text) = said(folder.path(), &arguments);
            assert_eq!(code, 0, "{text}");
            for part in [
                "left out: `README.md` is neither",
                "left out: `input.json` holds `user`, which lies outside the manifest's roots",
                "left out: `.git` is git's own",
                "warning: there is no test",
                "warning: there is no route",
            ] {
                assert!(text.contains(part), "{command}: {part}: {text}");
            }
        }
    }

    #[test]
    fn a_folder_without_a_manifest_is_tested_but_not_packed() {
        let folder = folder(&[
            ("a.rego", "package a\n\nx := data.n.v\n"),
            (
                "a_test.rego",
                "package a\n\ntest_x if x == 1\n\ntodo_test_y if false\n",
            ),
            ("n/data.yaml", "v: 1\n"),
        ]);
        let (code, text) = said(folder.path(), &["test", "p"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("1 passed, 0 failed, 1 skipped"), "{text}");
        assert!(text.contains("there is no `.manifest`"), "{text}");
        assert_eq!(said(folder.path(), &["check", "p"]).0, 0);
        let (code, text) = said(folder.path(), &["build", "p"]);
        assert_eq!(code, 3);
        assert!(text.contains("there is no `.manifest`"), "{text}");
    }

    #[test]
    fn a_manifest_of_opas_is_tested_but_not_packed() {
        let folder = folder(&[
            (".manifest", r#"{"roots": ["a"]}"#),
            ("a.rego", "package a\n\nx := 1\n\ntest_x if x == 1\n"),
        ]);
        let (code, text) = said(folder.path(), &["test", "p"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("1 passed"), "{text}");
        assert!(text.contains("metadata.plinto.entrypoint"), "{text}");
        let (code, text) = said(folder.path(), &["eval", "p", "--rule", "data.a.x"]);
        assert_eq!(code, 0, "{text}");
        let (code, text) = said(folder.path(), &["build", "p"]);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("metadata.plinto.entrypoint"), "{text}");
        fs::write(folder.path().join("p/.manifest"), r#"{"roots": ["c"]}"#).unwrap();
        let (code, text) = said(folder.path(), &["check", "p"]);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("outside the manifest's roots"), "{text}");
    }

    #[test]
    fn the_older_rego_is_read_where_it_is_asked_for() {
        let folder = folder(&[
            (".manifest", MANIFEST),
            (
                "shop/main.rego",
                "package shop\n\ndecision = {\"allow\": true} { input.x }\n",
            ),
            (
                "shop/main_test.rego",
                "package shop\n\ntest_x { decision.allow with input.x as 1 }\n",
            ),
        ]);
        let (code, text) = said(folder.path(), &["test", "p"]);
        assert_eq!(code, 1);
        assert!(text.contains("`if` before the body"), "{text}");
        for command in ["check", "test"] {
            let (code, text) = said(folder.path(), &[command, "p", "--v0-compatible"]);
            assert_eq!(code, 0, "{command}: {text}");
        }
        let arguments = ["build", "p", "--v0-compatible", "-f", "b.tar.gz"];
        assert_eq!(said(folder.path(), &arguments).0, 0);
        let shown = told(folder.path(), &["inspect", "b.tar.gz"]);
        assert_eq!(shown["manifest"]["rego_version"], 0);
    }

    #[test]
    fn a_failed_test_says_which_expression_failed_and_what_was_printed() {
        let failing = "package shop\n\ntest_a if {\n\tx := 2\n\tprint(\"x is\", x)\n\tx == 3\n}\n";
        let folder = folder(&[
            (".manifest", MANIFEST),
            ("shop/main.rego", POLICY),
            ("shop/main_test.rego", failing),
        ]);
        let (code, text) = said(folder.path(), &["test", "-v", "p"]);
        assert_eq!(code, 1);
        assert!(
            text.contains("failed at shop/main_test.rego:6:2: x == 3"),
            "{text}"
        );
        assert!(
            text.contains("printed shop/main_test.rego:5: x is 2"),
            "{text}"
        );
        let shown = told(folder.path(), &["test", "p"]);
        assert_eq!(shown["cases"][0]["failed"][0]["text"], "x == 3");
    }

    #[test]
    fn two_data_files_that_contradict_each_other_are_named() {
        let folder = folder(&[
            (".manifest", MANIFEST),
            ("shop/main.rego", POLICY),
            ("shop/data.json", r#"{"limit":1}"#),
            ("shop/limits.yaml", "limit: 2\n"),
        ]);
        let (code, text) = said(folder.path(), &["check", "p"]);
        assert_eq!(code, 1);
        assert!(
            text.contains("`data.shop.limit` is in `shop/data.json` and in `shop/limits.yaml`"),
            "{text}"
        );
    }
}
