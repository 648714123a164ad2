//! Making a tenant from a terminal.

use std::process::Command;

use plinto_tests::process::binary;

/// Bad values are all told at once, by the names they were given under, and nothing is left behind.
#[test]
fn a_tenant_with_bad_values_is_refused_flag_by_flag_and_nothing_is_made() {
    for (flags, told, untold) in [
        (
            vec!["--tenant", "Bad Slug", "--audience", ""],
            vec!["`--tenant`: 1 to 63", "`--audience`: 1 to 200"],
            "--name",
        ),
        (
            vec![
                "--tenant",
                "acme",
                "--audience",
                "a b",
                "--name",
                "\u{200b}",
            ],
            vec!["`--audience`: ", "`--name`: a name has a visible character"],
            "--tenant",
        ),
        (
            vec![
                "--tenant",
                "acme",
                "--audience",
                "a",
                "--signing-alg",
                "RS512",
            ],
            vec!["`--signing-alg`: one of RS256, ES256, EdDSA"],
            "--tenant",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(binary("plinto-control-plane"))
            .arg("bootstrap")
            .args(&flags)
            .current_dir(folder.path())
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        for told in told {
            assert!(line.contains(told), "{line}");
        }
        assert!(!line.contains(untold), "{line}");
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 0, "{flags:?}");
    }
}
