//! T14: where keys may come from.

use jwks_cache::{Response, SourceError, max_age_s};
use proptest::prelude::*;

#[test]
fn only_plain_good_answers_are_read() {
    let answer = |status: u16, redirected: bool, body: &[u8]| {
        Response {
            status,
            redirected,
            body,
        }
        .keys()
        .map(|set| (set.keys.len(), set.skipped))
    };
    let body = br#"{"keys":[{"kty":"oct","k":"AA"},{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    assert_eq!(answer(200, false, body), Ok((1, 1)));
    assert_eq!(answer(200, true, body), Err(SourceError::Redirected));
    for status in [301, 302, 307, 308] {
        assert_eq!(answer(status, false, body), Err(SourceError::Redirected));
    }
    for status in [0, 199, 201, 204, 206, 400, 404, 500, 503] {
        assert_eq!(
            answer(status, false, body),
            Err(SourceError::Status(status))
        );
    }
    let padded = |length: usize| {
        let mut body = body.to_vec();
        body.resize(length, b' ');
        body
    };
    assert_eq!(answer(200, false, &padded(64 * 1024)), Ok((1, 1)));
    assert_eq!(
        answer(200, false, &padded(64 * 1024 + 1)),
        Err(SourceError::TooLarge)
    );
    assert_eq!(
        answer(200, false, b"<html>"),
        Err(SourceError::KeySet(plinto_jose::Error::Json))
    );
}

/// A set that verifies nothing is no answer: it must not take the place of one that does.
#[test]
fn a_set_without_a_usable_key_counts_as_a_failed_fetch() {
    for (body, published) in [
        (r#"{"keys":[]}"#, 0),
        (r#"{"keys":[{"kty":"oct","k":"AA","kid":"o"},{}]}"#, 2),
        // a key without an id can't be asked for
        (
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
            1,
        ),
    ] {
        let answer = Response {
            status: 200,
            redirected: false,
            body: body.as_bytes(),
        };
        assert_eq!(
            answer.keys(),
            Err(SourceError::NothingUsable(published)),
            "{body}"
        );
    }
}

/// RFC 9111 §5.2.2.
#[test]
fn cache_control_is_read_cautiously() {
    for (header, seconds) in [
        ("max-age=600", Some(600)),
        ("public, max-age=600, immutable", Some(600)),
        ("Public,MAX-AGE=60", Some(60)),
        ("max-age=\"60\"", Some(60)),
        ("max-age=600, max-age=60", Some(60)),
        ("max-age=60, max-age=600", Some(60)),
        ("max-age=600, no-cache", Some(0)),
        ("no-store", Some(0)),
        ("", None),
        ("public", None),
        ("max-age=", None),
        ("max-age=-1", None),
        ("max-age=+60", None),
        ("max-age=1e3", None),
        ("s-maxage=600", None),
        ("max-age=99999999999999999999", None),
        ("x-max-age=5", None),
    ] {
        assert_eq!(max_age_s(header), seconds, "{header:?}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in any::<String>(), status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = max_age_s(&text);
        let _ = Response { status, redirected: false, body: &body }.keys();
    }
}
