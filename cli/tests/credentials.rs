//! API keys on a disk and on the way: each goes to its own address, and to nobody else.
#![cfg(unix)]

#[cfg(test)]
mod cli {
    use std::{
        fs,
        io::{ErrorKind, Read as _, Write as _},
        net::TcpListener,
        os::unix::fs::PermissionsExt as _,
        path::{Path, PathBuf},
        process::{Child, Command, Output, Stdio},
        thread,
    };

    use tempfile::TempDir;

    const KEY: &str = "plinto_sk_0123456789abcdef";
    const OTHER_KEY: &str = "plinto_sk_fedcba9876543210";

    fn start(home: &Path, variables: &[(&str, &str)], arguments: &[&str], stdin: &str) -> Child {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plinto"))
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // a command that reads nothing may have ended already
        let _closed = input.write_all(stdin.as_bytes());
        child
    }

    fn run(home: &Path, variables: &[(&str, &str)], arguments: &[&str], stdin: &str) -> Output {
        start(home, variables, arguments, stdin)
            .wait_with_output()
            .unwrap()
    }

    fn log_in(home: &Path, url: &str, key: &str) {
        let output = run(home, &[], &["login", "--offline", "--url", url], key);
        assert_eq!(code(&output), 0, "{}", err(&output));
    }

    fn status(home: &Path, variables: &[(&str, &str)], more: &[&str]) -> Output {
        run(home, variables, &[&["policy", "status"], more].concat(), "")
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

    fn file(home: &Path) -> PathBuf {
        home.join(".config/plinto/credentials.toml")
    }

    /// A server that gives every request this answer and tells what it was sent.
    struct Listener {
        listener: TcpListener,
        url: String,
    }

    impl Listener {
        fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            Self { listener, url }
        }

        /// Answers one request in the background, with these headers; gives what it was sent.
        fn answer(&self, head: &str) -> thread::JoinHandle<String> {
            let listener = self.listener.try_clone().unwrap();
            let answer =
                format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = vec![0; 16 * 1024];
                let size = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8_lossy(&request[..size]).into_owned()
            })
        }

        /// Nobody has come.
        fn assert_untouched(&self) {
            self.listener.set_nonblocking(true).unwrap();
            let error = self.listener.accept().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock, "somebody connected");
            self.listener.set_nonblocking(false).unwrap();
        }
    }

    #[test]
    fn a_key_is_not_sent_to_another_address_than_its_own() {
        let home = TempDir::new().unwrap();
        let (mine, other) = (Listener::new(), Listener::new());
        log_in(home.path(), &mine.url, KEY);
        let with_path = format!("{}/plinto", mine.url);
        for url in [&other.url, &with_path] {
            for output in [
                status(home.path(), &[], &["--url", url]),
                status(home.path(), &[("PLINTO_URL", url)], &[]),
            ] {
                assert_eq!(code(&output), 3, "{}", out(&output));
                let told =
                    format!("no key for this address: {url}; run `plinto login --url {url}`");
                assert!(err(&output).contains(&told), "{}", err(&output));
                assert!(err(&output).contains(&mine.url), "{}", err(&output));
            }
        }
        let doctor = run(home.path(), &[], &["doctor", "--url", &other.url], "");
        assert_eq!(code(&doctor), 1);
        other.assert_untouched();
        mine.assert_untouched();
    }

    #[test]
    fn several_keys_are_kept_and_each_goes_to_its_own_address() {
        let home = TempDir::new().unwrap();
        let (one, two) = (Listener::new(), Listener::new());
        log_in(home.path(), &one.url, KEY);
        log_in(home.path(), &format!("{}/plinto/", two.url), OTHER_KEY);
        for (listener, url, key, path) in [
            (&one, format!("{}/", one.url), KEY, "/v1/policies/status"),
            (
                &two,
                format!("{}/plinto", two.url),
                OTHER_KEY,
                "/plinto/v1/policies/status",
            ),
        ] {
            let sent = listener.answer("200 OK");
            let output = status(home.path(), &[], &["--url", &url]);
            assert_eq!(code(&output), 0, "{}", err(&output));
            let sent = sent.join().unwrap();
            assert!(sent.starts_with(&format!("GET {path} ")), "{sent}");
            assert!(sent.contains(&format!("Bearer {key}\r\n")), "{sent}");
        }
        // which one is not guessed
        let output = status(home.path(), &[], &[]);
        assert_eq!(code(&output), 2);
        for word in ["choose one with --url", &one.url, &two.url] {
            assert!(err(&output).contains(word), "{}", err(&output));
        }
    }

    #[test]
    fn the_only_key_needs_no_address() {
        let home = TempDir::new().unwrap();
        let mine = Listener::new();
        log_in(home.path(), &mine.url, KEY);
        let sent = mine.answer("200 OK");
        assert_eq!(code(&status(home.path(), &[], &[])), 0);
        assert!(sent.join().unwrap().contains(KEY));
    }

    #[test]
    fn a_key_in_the_environment_goes_to_the_address_in_the_environment_only() {
        let home = TempDir::new().unwrap();
        let (mine, other) = (Listener::new(), Listener::new());
        let both = [("PLINTO_URL", mine.url.as_str()), ("PLINTO_API_KEY", KEY)];
        for arguments in [&[][..], &["--url", &mine.url]] {
            let sent = mine.answer("200 OK");
            assert_eq!(code(&status(home.path(), &both, arguments)), 0);
            assert!(sent.join().unwrap().contains(KEY));
        }
        let output = status(home.path(), &both, &["--url", &other.url]);
        assert_eq!(code(&output), 3);
        assert!(
            err(&output).contains("no key for this address"),
            "{}",
            err(&output)
        );
        // without its address it goes nowhere, not even where another key is stored for
        log_in(home.path(), &other.url, OTHER_KEY);
        for arguments in [&[][..], &["--url", &other.url]] {
            let output = status(home.path(), &[("PLINTO_API_KEY", KEY)], arguments);
            assert_eq!(code(&output), 2);
            let told = "PLINTO_API_KEY is set, but not PLINTO_URL";
            assert!(err(&output).contains(told), "{}", err(&output));
        }
        other.assert_untouched();
        // beside it, a stored key serves its own address
        let sent = other.answer("200 OK");
        assert_eq!(code(&status(home.path(), &both, &["--url", &other.url])), 0);
        let sent = sent.join().unwrap();
        assert!(sent.contains(OTHER_KEY) && !sent.contains(KEY), "{sent}");
    }

    #[test]
    fn a_redirect_does_not_carry_the_key_elsewhere() {
        let home = TempDir::new().unwrap();
        let (mine, other) = (Listener::new(), Listener::new());
        log_in(home.path(), &mine.url, KEY);
        for status_line in [
            "301 Moved Permanently",
            "302 Found",
            "307 Temporary",
            "308 Permanent",
        ] {
            let head = format!(
                "{status_line}\r\nlocation: {}/v1/policies/status",
                other.url
            );
            let sent = mine.answer(&head);
            let output = status(home.path(), &[], &[]);
            assert_eq!(code(&output), 5, "{}", out(&output));
            assert!(err(&output).contains(&other.url), "{}", err(&output));
            sent.join().unwrap();
        }
        other.assert_untouched();
    }

    #[test]
    fn a_proxy_is_not_shown_a_key_that_would_travel_in_clear() {
        let home = TempDir::new().unwrap();
        let (mine, proxy) = (Listener::new(), Listener::new());
        log_in(home.path(), &mine.url, KEY);
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            let sent = mine.answer("200 OK");
            let output = status(home.path(), &[(name, &proxy.url)], &[]);
            assert_eq!(code(&output), 0, "{name}: {}", err(&output));
            sent.join().unwrap();
        }
        proxy.assert_untouched();
    }

    #[test]
    fn a_key_does_not_travel_in_clear_to_another_machine() {
        let home = TempDir::new().unwrap();
        let far = "http://192.0.2.1";
        let login = ["login", "--offline", "--url", far];
        let output = run(home.path(), &[], &login, KEY);
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains("not encrypted"), "{}", err(&output));
        assert!(!file(home.path()).exists());
        let both = [("PLINTO_URL", far), ("PLINTO_API_KEY", KEY)];
        for arguments in [
            &["policy", "status"][..],
            &[
                "token",
                "verify",
                "a.b.c",
                "--issuer",
                far,
                "--audience",
                "a",
            ],
        ] {
            let output = run(home.path(), &both, arguments, "");
            assert_eq!(code(&output), 2, "{arguments:?}");
            assert!(err(&output).contains("--allow-http"), "{}", err(&output));
        }
        // somebody who knows the network may say so
        let output = run(
            home.path(),
            &[],
            &[&login[..], &["--allow-http"]].concat(),
            KEY,
        );
        assert_eq!(code(&output), 0, "{}", err(&output));
    }

    #[test]
    fn a_user_and_password_in_an_address_are_refused_and_not_shown() {
        let home = TempDir::new().unwrap();
        let url = "https://me:hush@cp.example";
        let output = run(home.path(), &[], &["login", "--offline", "--url", url], KEY);
        assert_eq!(code(&output), 2);
        assert!(!err(&output).contains("hush"), "{}", err(&output));
    }

    #[test]
    fn logout_forgets_one_key_and_keeps_the_others() {
        let home = TempDir::new().unwrap();
        let log_out = |more: &[&str]| run(home.path(), &[], &[&["logout"], more].concat(), "");
        assert_eq!(code(&log_out(&[])), 2);
        assert_eq!(code(&log_out(&["--all"])), 0);
        for name in ["a", "b", "c", "d"] {
            log_in(home.path(), &format!("https://{name}.example"), KEY);
        }
        let output = log_out(&[]);
        assert_eq!(code(&output), 2);
        assert!(
            err(&output).contains("https://b.example"),
            "{}",
            err(&output)
        );
        assert_eq!(code(&log_out(&["--url", "https://e.example"])), 3);
        let output = log_out(&["--url", "https://A.example/"]);
        assert!(
            out(&output).contains("…cdef for https://a.example"),
            "{}",
            out(&output)
        );
        let kept = fs::read_to_string(file(home.path())).unwrap();
        assert!(
            !kept.contains("a.example") && kept.contains("b.example"),
            "{kept}"
        );
        assert_eq!(
            code(&status(home.path(), &[], &["--url", "https://a.example"])),
            3
        );
        assert_eq!(code(&log_out(&["--all"])), 0);
        log_in(home.path(), "https://e.example", KEY);
        assert_eq!(code(&log_out(&[])), 0);
        let kept = fs::read_to_string(file(home.path())).unwrap();
        assert!(!kept.contains(KEY), "{kept}");
    }

    #[test]
    fn logins_at_the_same_time_are_all_kept() {
        let home = TempDir::new().unwrap();
        let urls: Vec<String> = (0..24)
            .map(|number| format!("https://{number}.example"))
            .collect();
        let logins: Vec<Child> = urls
            .iter()
            .map(|url| start(home.path(), &[], &["login", "--offline", "--url", url], KEY))
            .collect();
        for login in logins {
            let output = login.wait_with_output().unwrap();
            assert_eq!(code(&output), 0, "{}", err(&output));
        }
        let stored = fs::read_to_string(file(home.path())).unwrap();
        for url in urls {
            assert!(stored.contains(&format!("\"{url}\"")), "{url}: {stored}");
        }
    }

    #[test]
    fn login_stores_the_key_for_its_owner_only() {
        let home = TempDir::new().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let url = "https://cp.example";
        for _ in 0..2 {
            let login = ["login", "--offline", "--url", url];
            let output = run(home.path(), &[], &login, &format!("{KEY}\n"));
            assert_eq!(code(&output), 0, "{}", err(&output));
            assert!(!out(&output).contains(KEY));
            assert!(out(&output).contains("…cdef"));
            let text = fs::read_to_string(file(home.path())).unwrap();
            assert!(text.contains(KEY) && text.contains(url), "{text}");
            for path in fs::read_dir(file(home.path()).parent().unwrap()).unwrap() {
                let path = path.unwrap().path();
                assert_eq!(mode(&path), 0o600, "{path:?}");
            }
            assert_eq!(mode(file(home.path()).parent().unwrap()), 0o700);
        }
        // a file that others can read is neither read nor written
        fs::set_permissions(file(home.path()), fs::Permissions::from_mode(0o644)).unwrap();
        for output in [
            status(home.path(), &[], &[]),
            run(
                home.path(),
                &[],
                &["login", "--offline", "--url", url],
                OTHER_KEY,
            ),
            run(home.path(), &[], &["logout"], ""),
        ] {
            assert_eq!(code(&output), 3);
            assert!(err(&output).contains("chmod 600"), "{}", err(&output));
        }
        assert!(fs::read_to_string(file(home.path())).unwrap().contains(KEY));
    }

    #[test]
    fn login_refuses_what_is_no_key_and_what_it_cannot_check() {
        let home = TempDir::new().unwrap();
        let login = |more: &[&str], key: &str| {
            let arguments = [&["login", "--url", "http://127.0.0.1:1"], more].concat();
            code(&run(home.path(), &[], &arguments, key))
        };
        assert_eq!(login(&["--offline"], "password"), 1);
        assert_eq!(login(&[], KEY), 5);
        assert!(!home.path().join(".config").exists());
    }
}
