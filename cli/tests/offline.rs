//! The commands that need no network, as a person runs them: the real binary in a temporary folder.

#[cfg(test)]
mod cli {
    use std::{
        fs,
        io::Write as _,
        path::{Path, PathBuf},
        process::{Command, Output, Stdio},
    };

    use plinto_jose::{Algorithm, JwkSet, SigningKey};
    use serde_json::{Value, json};
    use tempfile::TempDir;

    /// Runs `plinto` with an environment of its own. No control plane listens at the address, so
    /// whatever goes to the network fails with exit code 5.
    fn plinto(folder: &Path, arguments: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plinto"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("PLINTO_URL", "http://127.0.0.1:1")
            .env("PLINTO_API_KEY", "plinto_sk_test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // A command that reads nothing may have ended already.
        let _closed = input.write_all(stdin.as_bytes());
        drop(input);
        child.wait_with_output().unwrap()
    }

    fn code(output: &Output) -> i32 {
        output.status.code().unwrap()
    }

    fn out(output: &Output) -> String {
        String::from_utf8(output.stdout.clone()).unwrap()
    }

    fn err(output: &Output) -> String {
        String::from_utf8(output.stderr.clone()).unwrap()
    }

    fn json_out(output: &Output) -> Value {
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(output)))
    }

    /// A folder with the RBAC template in `policy`.
    fn with_policy() -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let made = plinto(folder.path(), &["policy", "new", "policy"], "");
        assert_eq!(code(&made), 0, "{}", err(&made));
        let path = folder.path().to_owned();
        (folder, path)
    }

    #[test]
    fn a_new_policy_checks_tests_builds_and_inspects() {
        let (_guard, folder) = with_policy();
        let run = |arguments: &[&str]| {
            let output = plinto(&folder, arguments, "");
            assert_eq!(code(&output), 0, "{arguments:?}: {}", err(&output));
            output
        };
        assert!(out(&run(&["policy", "check", "policy"])).contains("compiles: 1 policy, 10 tests"));
        assert!(out(&run(&["policy", "test", "policy"])).contains("10 passed, 0 failed"));
        let tests = json_out(&run(&["policy", "test", "policy", "--output", "json"]));
        assert_eq!(
            (&tests["passed"], &tests["failed"]),
            (&json!(10), &json!(0))
        );

        let dry = json_out(&run(&[
            "policy",
            "build",
            "policy",
            "--dry-run",
            "--output",
            "json",
        ]));
        assert!(!folder.join("bundle.tar.gz").exists());
        run(&["policy", "build", "policy", "-f", "one.tar.gz"]);
        run(&["policy", "build", "policy", "-f", "two.tar.gz"]);
        let one = fs::read(folder.join("one.tar.gz")).unwrap();
        assert_eq!(one, fs::read(folder.join("two.tar.gz")).unwrap());

        let shown = json_out(&run(&[
            "policy",
            "inspect",
            "one.tar.gz",
            "--output",
            "json",
        ]));
        assert_eq!(shown["manifest"]["revision"], dry["revision"]);
        assert_eq!(shown["signature"], Value::Null);
        assert_eq!(shown["files"].as_array().unwrap().len(), 3);
        assert!(out(&run(&["policy", "inspect", "policy"])).contains("app/authz/decision.rego"));

        let published = run(&["policy", "publish", "policy", "--dry-run"]);
        let revision = dry["revision"].as_str().unwrap();
        assert!(out(&published).contains(revision));
    }

    #[test]
    fn the_other_template_passes_its_tests_too() {
        let folder = TempDir::new().unwrap();
        let arguments = ["policy", "new", "p", "--template", "conditions"];
        assert_eq!(code(&plinto(folder.path(), &arguments, "")), 0);
        assert_eq!(
            code(&plinto(folder.path(), &["policy", "test", "p"], "")),
            0
        );
    }

    #[test]
    fn a_syntax_error_is_shown_with_its_place() {
        let (_guard, folder) = with_policy();
        let file = folder.join("policy/app/authz/decision.rego");
        fs::write(&file, "package app.authz\n\nallow if {\n\tinput.a == \n}\n").unwrap();
        for command in ["check", "test", "build", "publish"] {
            let output = plinto(&folder, &["policy", command, "policy"], "");
            assert_eq!(code(&output), 1, "{command}");
            let text = err(&output);
            assert!(
                text.contains("app/authz/decision.rego:5:1"),
                "{command}: {text}"
            );
            assert!(text.contains(" 5 | }\n   : ^"), "{command}: {text}");
        }
        let output = plinto(
            &folder,
            &["policy", "check", "policy", "--output", "json"],
            "",
        );
        assert!(output.stdout.is_empty());
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        let finding = &error["error"]["diagnostics"][0];
        assert_eq!(error["error"]["code"], "policy_invalid");
        assert_eq!(
            (&finding["line"], &finding["column"]),
            (&json!(5), &json!(1))
        );
        assert_eq!(finding["file"], "app/authz/decision.rego");
    }

    #[test]
    fn a_failing_test_ends_test_and_publish_with_code_1() {
        let (_guard, folder) = with_policy();
        let file = folder.join("policy/app/authz/wrong_test.rego");
        fs::write(&file, "package app.wrong_test\n\ntest_wrong if 1 == 2\n").unwrap();
        let output = plinto(&folder, &["policy", "test", "policy"], "");
        assert_eq!(code(&output), 1);
        assert!(out(&output).contains("10 passed, 1 failed"));
        assert!(
            out(&output).contains("app/authz/wrong_test.rego:3:1"),
            "{}",
            out(&output)
        );
        // Refused before anything is sent: not exit code 5.
        assert_eq!(
            code(&plinto(&folder, &["policy", "publish", "policy"], "")),
            1
        );
        assert_eq!(
            code(&plinto(&folder, &["policy", "check", "policy"], "")),
            0
        );
    }

    #[test]
    fn a_missing_policy_is_told_with_the_command_that_starts_one() {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        for (named, why) in [
            ("nowhere", "there is no folder `nowhere`"),
            ("empty", "`empty` holds no policy"),
            ("file", "`file` is not a folder"),
        ] {
            for command in ["check", "test", "build", "publish"] {
                let output = plinto(folder.path(), &["policy", command, named], "");
                assert_eq!(code(&output), 3, "{command} {named}");
                let text = err(&output);
                assert!(text.contains(why), "{text}");
                assert!(text.contains("`plinto policy new <folder>`"), "{text}");
            }
        }
    }

    #[test]
    fn exit_codes_tell_apart_what_went_wrong() {
        let (_guard, folder) = with_policy();
        let run = |arguments: &[&str]| code(&plinto(&folder, arguments, ""));
        assert_eq!(run(&["policy", "chekc"]), 2);
        assert_eq!(run(&["policy", "new", "policy"]), 2);
        assert_eq!(run(&["policy", "activate", "nonsense"]), 2);
        assert_eq!(run(&["policy", "check", "nowhere"]), 3);
        assert_eq!(run(&["policy", "inspect", "nowhere.tar.gz"]), 3);
        assert_eq!(run(&["policy", "status"]), 5);
        assert_eq!(run(&["policy", "publish", "policy"]), 5);
        assert_eq!(run(&["policy", "rollback"]), 5);
        assert_eq!(run(&["doctor"]), 1);
        fs::write(folder.join("x.tar.gz"), "not a bundle").unwrap();
        assert_eq!(run(&["policy", "inspect", "x.tar.gz"]), 1);
        assert_eq!(run(&["--help"]), 0);
        assert_eq!(run(&["--version"]), 0);
    }

    fn token(key: &SigningKey, exp: i64) -> String {
        token_of("https://id.example/t/acme", key, exp)
    }

    fn token_of(issuer: &str, key: &SigningKey, exp: i64) -> String {
        let claims = json!({
            "iss": issuer, "aud": "api", "exp": exp, "iat": 1_767_225_600,
            "sub": "user_1", "roles": ["a"],
        });
        key.sign(Some("at+jwt"), claims.to_string().as_bytes())
            .unwrap()
    }

    #[test]
    fn a_token_is_shown_without_being_believed() {
        let folder = TempDir::new().unwrap();
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let token = token(&key, 1_767_225_600);
        let output = plinto(folder.path(), &["token", "decode", &token], "");
        assert_eq!(code(&output), 0);
        let text = out(&output);
        assert!(
            text.contains("2026-01-01T00:00:00.000Z") && text.contains("ago"),
            "{text}"
        );
        assert!(text.ends_with("Nothing was verified.\n"));
        let arguments = ["token", "decode", "--output", "json"];
        let shown = json_out(&plinto(
            folder.path(),
            &arguments,
            &format!("Bearer {token}\n"),
        ));
        assert_eq!(shown["claims"]["sub"], "user_1");
        assert_eq!(
            (&shown["verified"], &shown["is_well_formed"]),
            (&json!(false), &json!(true))
        );
        // `alg: none` is worth looking at, and says so.
        let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.";
        let output = plinto(folder.path(), &["token", "decode", none], "");
        assert!(out(&output).contains("No verifier here would take it"));
        assert_eq!(
            code(&plinto(folder.path(), &["token", "decode", "garbage"], "")),
            1
        );
    }

    /// T7, T14: what other issuers publish and sign within RFC 7517 §4.5, §5 and RFC 7519 §2.
    #[test]
    fn odd_keys_beside_a_good_one_and_fractions_of_a_second_do_no_harm() {
        let folder = TempDir::new().unwrap();
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let good = key.public().to_value();
        let mut encryption = SigningKey::generate(Algorithm::Rs256)
            .unwrap()
            .public()
            .to_value();
        encryption["kid"] = good["kid"].clone();
        let mut other_type = encryption.clone();
        encryption["use"] = json!("enc");
        other_type["use"] = json!("sig");
        let secret = json!({ "kty": "oct", "k": "AAAA", "kid": "o" });
        let verify = |keys: &[&Value], times: Value| {
            let keys = json!({ "keys": keys }).to_string();
            fs::write(folder.path().join("jwks.json"), keys).unwrap();
            let mut claims =
                json!({ "iss": "https://id.example", "aud": "api", "exp": 4_102_444_800_u64 });
            for (name, value) in times.as_object().unwrap() {
                claims[name] = value.clone();
            }
            let token = key
                .sign(Some("at+jwt"), claims.to_string().as_bytes())
                .unwrap();
            let arguments = [
                "token",
                "verify",
                &token,
                "--jwks",
                "jwks.json",
                "--issuer",
                "https://id.example",
                "--audience",
                "api",
            ];
            let output = plinto(folder.path(), &arguments, "");
            (code(&output), err(&output))
        };
        for keys in [
            vec![&good],
            vec![&encryption, &good],
            vec![&other_type, &good],
            vec![&secret, &good],
        ] {
            let (code, said) = verify(&keys, json!({}));
            assert_eq!(code, 0, "{keys:?}: {said}");
        }
        let (refused, said) = verify(&[&secret, &encryption], json!({}));
        assert_eq!(refused, 1);
        assert!(said.contains("2 of the key set can't be used"), "{said}");
        for times in [
            json!({ "iat": 1_767_225_600.75 }),
            json!({ "nbf": 1_767_225_600.5 }),
            json!({ "exp": 4_102_444_800.5 }),
        ] {
            let (code, said) = verify(&[&good], times.clone());
            assert_eq!(code, 0, "{times}: {said}");
        }
    }

    #[test]
    fn a_token_is_verified_against_a_key_set_without_network() {
        let folder = TempDir::new().unwrap();
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = JwkSet::from(vec![key.public()]);
        fs::write(folder.path().join("jwks.json"), keys.to_value().to_string()).unwrap();
        let verify = |token: &str, issuer: &str, audience: &str| {
            let arguments = [
                "token",
                "verify",
                token,
                "--jwks",
                "jwks.json",
                "--issuer",
                issuer,
                "--audience",
                audience,
            ];
            plinto(folder.path(), &arguments, "")
        };
        let issuer = "https://id.example/t/acme";
        let far = 4_102_444_800;
        let good = token(&key, far);
        assert_eq!(code(&verify(&good, issuer, "api")), 0);
        // An issuer is a text, not an address: nothing is added to it or taken from it.
        for issuer in [
            "https://id.example",
            "https://id.example/",
            "https://ID.example/t//",
        ] {
            let token = token_of(issuer, &key, far);
            assert_eq!(code(&verify(&token, issuer, "api")), 0, "{issuer}");
        }
        for (token, issuer, audience, why) in [
            (token(&key, 1_767_225_600), issuer, "api", "expired"),
            (
                good.clone(),
                "https://id.example/t/other",
                "api",
                "another issuer: `https://id.example/t/other` is expected, `https://id.example/t/acme` found (issuer_mismatch)",
            ),
            (good.clone(), "https://id.example/t/acme/", "api", "issuer"),
            (good.clone(), issuer, "other", "audience"),
            (
                token(&SigningKey::generate(Algorithm::Es256).unwrap(), far),
                issuer,
                "api",
                "key",
            ),
        ] {
            let output = verify(&token, issuer, audience);
            assert_eq!(code(&output), 1, "{why}");
            assert!(err(&output).contains(why), "{why}: {}", err(&output));
            assert!(output.stdout.is_empty(), "{why}: {}", out(&output));
        }
    }

    #[test]
    fn completions_exist_for_every_shell() {
        let folder = TempDir::new().unwrap();
        for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
            let output = plinto(folder.path(), &["completions", shell], "");
            assert_eq!(code(&output), 0);
            assert!(out(&output).contains("publish"), "{shell}");
        }
    }

    #[test]
    fn a_symbolic_link_is_not_followed() {
        let (_guard, folder) = with_policy();
        #[cfg(unix)]
        {
            fs::write(folder.join("secret.rego"), "package app.secret").unwrap();
            let link = folder.join("policy/app/secret.rego");
            std::os::unix::fs::symlink(folder.join("secret.rego"), link).unwrap();
            let output = plinto(
                &folder,
                &["policy", "check", "policy", "--output", "json"],
                "",
            );
            let left_out = &json_out(&output)["left_out"][0];
            assert_eq!(left_out["path"], "app/secret.rego");
        }
    }

    #[test]
    fn a_problem_code_is_explained_without_a_network() {
        let folder = TempDir::new().unwrap();
        let told = plinto(folder.path(), &["explain", "last_owner"], "");
        assert_eq!(code(&told), 0, "{}", err(&told));
        let text = out(&told);
        assert!(text.starts_with("last_owner (409): "), "{text}");
        assert!(
            text.contains("\nCause: ") && text.contains("\nRemedy: "),
            "{text}"
        );
        let arguments = ["explain", "last_owner", "--output", "json"];
        let told = json_out(&plinto(folder.path(), &arguments, ""));
        assert_eq!(told["status"], 409);
        assert_eq!(told["retryable"], false);
        let all = out(&plinto(folder.path(), &["explain"], ""));
        assert!(
            all.contains("last_owner") && all.contains("rate_limited"),
            "{all}"
        );
    }

    #[test]
    fn a_misspelt_problem_code_is_answered_with_the_one_that_was_meant() {
        let folder = TempDir::new().unwrap();
        let told = plinto(folder.path(), &["explain", "last_ower"], "");
        assert_eq!(code(&told), 2);
        assert!(err(&told).contains("last_owner"), "{}", err(&told));
    }
}
