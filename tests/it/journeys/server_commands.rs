//! The server's binary at somebody's terminal: what its commands say, and how they end.

use std::fs::File;

use plinto_tests::process::ControlPlane;

use super::AUDIENCE;

/// What prints must not say that it did when nothing arrived.
#[test]
fn an_answer_of_the_server_that_cannot_be_written_is_a_failure() {
    let server = ControlPlane::unstarted(&[]);
    let into_the_full = |arguments: &[&str]| {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = server.run_into(arguments, full);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(errors.contains("No space left"), "{arguments:?}: {errors}");
        errors
    };
    into_the_full(&["--help"]);
    into_the_full(&["--version"]);
    into_the_full(&["openapi"]);
    into_the_full(&["migrate"]);
    // the tenant is there, its key is lost: what helps is said, and does
    let told = into_the_full(&["bootstrap", "--tenant", "acme", "--audience", AUDIENCE]);
    assert!(told.contains("`api-key --tenant acme`"), "{told}");
    let told = into_the_full(&["api-key", "--tenant", "acme"]);
    assert!(told.contains("make another"), "{told}");
    let output = server.run(&["api-key", "--tenant", "acme"]);
    assert!(output.status.success(), "{output:?}");
}

/// A changed address alone leaves issuers where nobody answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_moved_without_its_public_url_says_where_issuers_lead() {
    let lost = "issuers begin with http://127.0.0.1:7400, but this server listens on 127.0.0.1:";
    let unnamed = [("PLINTO_PUBLIC_URL", "http://127.0.0.1:7400")];
    for (settings, is_told) in [(&unnamed[..], true), (&[], false)] {
        let server = ControlPlane::start_with(settings).await;
        let output = server.run(&["bootstrap", "--tenant", "acme", "--audience", AUDIENCE]);
        let errors = String::from_utf8(output.stderr).unwrap();
        for text in [server.log(), errors] {
            assert_eq!(text.contains(lost), is_told, "{text}");
            assert_eq!(text.contains("set PLINTO_PUBLIC_URL"), is_told, "{text}");
        }
    }
}
