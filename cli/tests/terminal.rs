//! The command line at somebody's terminal: settings that are wrong or missing, a mistyped command,
//! Ctrl-C, a reader that goes away, a control plane that is newer.
#![cfg(unix)]

#[cfg(test)]
mod cli {
    use std::{
        fs::File,
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        os::unix::process::ExitStatusExt as _,
        path::Path,
        process::{Child, Command, ExitStatus, Output, Stdio},
        sync::mpsc,
        time::Duration,
    };

    use serde_json::Value;
    use tempfile::TempDir;

    /// `plinto` with these variables and no others, not even a home.
    fn plinto(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
        // whoever runs the tests in the background may have Ctrl-C ignored
        let mut command = Command::new("/usr/bin/env");
        command
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_plinto")])
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        plinto(folder, variables, arguments).output().unwrap()
    }

    fn code(output: &Output) -> Option<i32> {
        output.status.code()
    }

    fn err(output: &Output) -> String {
        String::from_utf8(output.stderr.clone()).unwrap()
    }

    fn json_err(output: &Output) -> Value {
        serde_json::from_slice(&output.stderr).unwrap_or_else(|_| panic!("{}", err(output)))
    }

    /// Presses Ctrl-C.
    fn interrupt(child: &Child) {
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for something that only comes if the command does what it should.
    fn within<T: Send + 'static>(what: &str, wait: impl FnOnce() -> T + Send + 'static) -> T {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(wait()));
        told.recv_timeout(Duration::from_secs(30))
            .unwrap_or_else(|_| panic!("not within 30 s: {what}"))
    }

    /// How it ended, and what it wrote to stderr.
    fn ended(mut child: Child) -> (ExitStatus, String) {
        within("the command ends", move || {
            let mut text = String::new();
            let mut stderr = child.stderr.take().unwrap();
            stderr.read_to_string(&mut text).unwrap();
            (child.wait().unwrap(), text)
        })
    }

    /// The next connection.
    fn accepted(listener: &TcpListener) -> TcpStream {
        let listener = listener.try_clone().unwrap();
        within("the command connects", move || listener.accept().unwrap().0)
    }

    #[test]
    fn commands_on_files_work_without_settings_and_with_wrong_ones() {
        for variables in [
            &[][..],
            &[("PLINTO_URL", "not an address")],
            &[("PLINTO_URL", "")],
        ] {
            let folder = TempDir::new().unwrap();
            let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.";
            for arguments in [
                &["policy", "new", "p"][..],
                &["policy", "check", "p"],
                &["policy", "test", "p"],
                &["policy", "build", "p"],
                &["policy", "inspect", "bundle.tar.gz"],
                &["policy", "publish", "p", "--dry-run"],
                &["token", "decode", token],
                &["completions", "bash"],
                &["--help"],
            ] {
                let output = run(folder.path(), variables, arguments);
                let errors = err(&output);
                assert_eq!(code(&output), Some(0), "{arguments:?}: {errors}");
                assert!(!output.stdout.is_empty(), "{arguments:?}");
            }
        }
    }

    #[test]
    fn a_wrong_address_is_named_by_the_command_that_needs_it() {
        let folder = TempDir::new().unwrap();
        let variables = [("PLINTO_URL", "not an address"), ("PLINTO_API_KEY", "k")];
        let output = run(folder.path(), &variables, &["policy", "status"]);
        assert_eq!(code(&output), Some(2));
        assert!(
            err(&output).contains("`not an address`"),
            "{}",
            err(&output)
        );
        // and with nothing set, what to do
        let output = run(folder.path(), &[], &["policy", "status"]);
        assert_eq!(code(&output), Some(3));
        assert!(err(&output).contains("plinto login"), "{}", err(&output));
    }

    #[test]
    fn a_mistyped_command_is_json_too_where_json_was_asked_for() {
        let folder = TempDir::new().unwrap();
        let wrong = ["policy", "chekc"];
        let json = [("PLINTO_OUTPUT", "json")];
        for (variables, more) in [
            (&[][..], &["--output", "json"][..]),
            (&[][..], &["--output=json"][..]),
            (&json[..], &[][..]),
        ] {
            let output = run(folder.path(), variables, &[&wrong[..], more].concat());
            assert_eq!(code(&output), Some(2));
            assert!(output.stdout.is_empty());
            let error = json_err(&output);
            assert_eq!(error["error"]["code"], "usage");
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.contains("chekc"), "{message}");
        }
        let arguments = [&wrong[..], &["--output", "human"]].concat();
        let output = run(folder.path(), &json, &arguments);
        assert!(err(&output).starts_with("error: "), "{}", err(&output));
        assert_eq!(code(&run(folder.path(), &json, &["--version"])), Some(0));
    }

    /// Work on files never looks at the signal: it must not be caught there at all.
    #[test]
    fn ctrl_c_ends_a_command_that_is_busy_with_files() {
        let folder = TempDir::new().unwrap();
        let keys = folder.path().join("keys");
        let made = Command::new("mkfifo").arg(&keys).status().unwrap();
        assert!(made.success());
        let arguments = [
            "token",
            "verify",
            "a.b.c",
            "--jwks",
            "keys",
            "--issuer",
            "https://i",
            "--audience",
            "a",
        ];
        // a handler that is there half of the time is found in eight rounds
        for _ in 0..8 {
            let child = plinto(folder.path(), &[], &arguments).spawn().unwrap();
            // opens as soon as the command reads at the other end, and keeps it reading
            let path = keys.clone();
            let held = within("the command reads its keys", move || {
                File::options().write(true).open(path).unwrap()
            });
            interrupt(&child);
            let (status, _) = ended(child);
            assert_eq!(status.signal(), Some(2), "{status}");
            drop(held);
        }
    }

    #[test]
    fn ctrl_c_ends_a_command_that_waits_for_the_control_plane_with_code_130() {
        let folder = TempDir::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let variables = [("PLINTO_URL", url.as_str()), ("PLINTO_API_KEY", "k")];
        for arguments in [&["policy", "status"][..], &["doctor"]] {
            let child = plinto(folder.path(), &variables, arguments)
                .spawn()
                .unwrap();
            let _silent = accepted(&listener);
            interrupt(&child);
            let (status, errors) = ended(child);
            assert_eq!(status.code(), Some(130), "{errors}");
            assert_eq!(errors, "error: interrupted\n");
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_failure() {
        let folder = TempDir::new().unwrap();
        for arguments in [&["completions", "bash"][..], &["policy", "new", "p"]] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = plinto(folder.path(), &[], arguments)
                .stdout(writer)
                .output()
                .unwrap();
            assert_eq!((code(&output), err(&output)), (Some(0), String::new()));
        }
    }

    /// What prints must not say that it did when nothing arrived.
    #[test]
    fn an_answer_that_cannot_be_written_is_a_failure() {
        let folder = TempDir::new().unwrap();
        let made = run(folder.path(), &[], &["policy", "new", "p"]);
        assert_eq!(code(&made), Some(0));
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.";
        for arguments in [
            &["--help"][..],
            &["--version"],
            &["policy", "--help"],
            &["completions", "bash"],
            &["policy", "new", "q"],
            &["policy", "check", "p"],
            &["policy", "test", "p"],
            &["policy", "test", "p", "--output", "json"],
            &["policy", "build", "p", "--dry-run"],
            &["policy", "inspect", "p"],
            &["policy", "publish", "p", "--dry-run"],
            &["token", "decode", token],
            &["explain", "no_route"],
            &["explain"],
        ] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let output = plinto(folder.path(), &[], arguments)
                .stdout(full)
                .output()
                .unwrap();
            let errors = err(&output);
            assert_eq!(code(&output), Some(3), "{arguments:?}: {errors}");
            assert!(errors.contains("No space left"), "{arguments:?}: {errors}");
        }
    }

    /// With nobody to tell, the exit code still says what happened.
    #[test]
    fn a_failure_that_cannot_be_told_keeps_its_exit_code() {
        let folder = TempDir::new().unwrap();
        for (arguments, exit) in [
            (&["policy", "check", "nowhere"][..], 3),
            (&["policy", "check", "nowhere", "--output", "json"], 3),
            (&["policy", "chekc"], 2),
        ] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let output = plinto(folder.path(), &[], arguments)
                .stderr(full)
                .output()
                .unwrap();
            assert_eq!(code(&output), Some(exit), "{arguments:?}");
        }
    }

    /// A code that this version does not know is still a refusal, and is passed on.
    #[test]
    fn a_newer_control_planes_refusal_keeps_its_code_and_its_exit_code() {
        let folder = TempDir::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let variables = [("PLINTO_URL", url.as_str()), ("PLINTO_API_KEY", "k")];
        let body = r#"{"code":"moon_is_full","detail":"not tonight"}"#;
        for (status, exit) in [("409 Conflict", 4), ("500 Oh", 5)] {
            let arguments = ["policy", "status", "--output", "json"];
            let child = plinto(folder.path(), &variables, &arguments)
                .spawn()
                .unwrap();
            let mut stream = accepted(&listener);
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).unwrap() > 0);
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
            write!(stream, "{head}connection: close\r\n\r\n{body}").unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(code(&output), Some(exit), "{}", err(&output));
            let error = json_err(&output);
            assert_eq!(error["error"]["code"], "moon_is_full");
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.ends_with("not tonight"), "{message}");
        }
    }
}
