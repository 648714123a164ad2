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
        .map(|set| set.keys.len())
    };
    let body = br#"{"keys":[]}"#;
    assert_eq!(answer(200, false, body), Ok(0));
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
    assert_eq!(answer(200, false, &padded(64 * 1024)), Ok(0));
    assert_eq!(
        answer(200, false, &padded(64 * 1024 + 1)),
        Err(SourceError::TooLarge)
    );
    assert_eq!(
        answer(200, false, b"<html>"),
        Err(SourceError::KeySet(plinto_jose::Error::Json))
    );
    assert_eq!(
        answer(200, false, br#"{"keys":[{"kty":"oct","k":"AA"}]}"#),
        Err(SourceError::KeySet(plinto_jose::Error::SymmetricKey))
    );
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
