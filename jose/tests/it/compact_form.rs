//! T3, T5, T10, T11: how a token must be written.

use plinto_jose::{Error, Jws, MAX_TOKEN_BYTES};
use serde_json::json;

use crate::mint::{claims, verify, with_header, with_payload};

/// T3: three non-empty parts of the base64url alphabet, without padding or stray bits.
#[test]
fn only_the_canonical_compact_form_is_read() {
    let token = with_payload(&claims().to_string());
    let parts: Vec<&str> = token.split('.').collect();
    let (h, p, s) = (parts[0], parts[1], parts[2]);
    assert_eq!(verify(&token), Ok(()));
    for malformed in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{h}.{p}"),
        format!("{h}.{p}."),
        format!(".{p}.{s}"),
        format!("{h}..{s}"),
        format!("{h}.{p}.{s}."),
        format!("{h}.{p}.{s}.{s}"),
    ] {
        assert_eq!(verify(&malformed), Err(Error::Malformed), "{malformed:?}");
    }
    for (place, original) in parts.iter().enumerate() {
        for spoiled in [
            format!("{original}="),
            format!("{original}=="),
            format!(" {original}"),
            format!("{original}\n"),
            format!("{original}+"),
            format!("{original}/"),
            format!("{original}\u{e9}"),
            format!("{original}%3d"),
        ] {
            let mut parts = parts.clone();
            parts[place] = &spoiled;
            assert_eq!(
                verify(&parts.join(".")),
                Err(Error::Base64),
                "part {place}: {spoiled:?}"
            );
        }
    }
}

/// T3: the unused bits of the last character must be zero; otherwise one token has many
/// spellings.
#[test]
fn stray_trailing_bits_are_refused() {
    // A 64-byte signature ends in a character of which only the top 2 bits count.
    let token = with_payload(&claims().to_string());
    let last = token.chars().last().unwrap();
    assert!("AQgw".contains(last));
    for other in "BCDEFGHIJKLMNOPRSTUVWXYZabcdefhijklmnopqrstuvxyz0123456789-_".chars() {
        let spoiled = format!("{}{other}", &token[..token.len() - 1]);
        assert_eq!(verify(&spoiled), Err(Error::Base64), "{other}");
    }
}

/// T5: five parts are a JWE.
#[test]
fn encrypted_tokens_are_refused() {
    let token = with_payload(&claims().to_string());
    assert_eq!(verify(&format!("{token}.AA.AA")), Err(Error::Encrypted));
    assert_eq!(verify("AA.AA.AA.AA.AA"), Err(Error::Encrypted));
    assert_eq!(verify("AA....AA"), Err(Error::Encrypted));
}

/// T10: a name occurs once, however it is spelled and wherever it stands.
#[test]
fn repeated_member_names_are_refused() {
    let good = claims().to_string();
    let with = |member: &str| {
        verify(&with_payload(&format!(
            "{},{member}}}",
            &good[..good.len() - 1]
        )))
    };
    assert_eq!(with(r#""extra":1"#), Ok(()));
    for member in [
        r#""sub":"user_2""#,
        r#""sub":"user_1""#,
        r#""\u0073ub":"user_2""#,
        r#""s\u0075\u0062":null"#,
        r#""a":{"b":1,"b":1}"#,
        r#""a":[{"b":[{"c":1,"\u0063":2}]}]"#,
        r#""":1,"":2"#,
    ] {
        assert_eq!(with(member), Err(Error::DuplicateMember), "{member}");
    }
    for header in [
        r#"{"alg":"ES256","alg":"ES256","typ":"at+jwt"}"#,
        r#"{"alg":"none","typ":"at+jwt","\u0061lg":"ES256"}"#,
    ] {
        assert_eq!(
            verify(&with_header(header)),
            Err(Error::DuplicateMember),
            "{header}"
        );
    }
    assert_eq!(
        with(r#""Sub":"user_2""#),
        Ok(()),
        "names are case-sensitive"
    );
}

/// T11: the size of a token, before anything else is looked at.
#[test]
fn tokens_are_at_most_8_kib() {
    let padded = |length: usize| {
        let mut claims = claims();
        claims["pad"] = json!("");
        let short = with_payload(&claims.to_string()).len();
        // 3 bytes of payload make 4 of token.
        let pad = "x".repeat((length - short) / 4 * 3);
        claims["pad"] = json!(pad);
        with_payload(&claims.to_string())
    };
    let fitting = padded(MAX_TOKEN_BYTES);
    assert!(fitting.len() > MAX_TOKEN_BYTES - 8 && fitting.len() <= MAX_TOKEN_BYTES);
    assert_eq!(verify(&fitting), Ok(()));
    let over = padded(MAX_TOKEN_BYTES + 8);
    assert!(over.len() > MAX_TOKEN_BYTES && over.len() <= MAX_TOKEN_BYTES + 8);
    assert_eq!(verify(&over), Err(Error::TooLarge));
    assert_eq!(verify(&"é.".repeat(MAX_TOKEN_BYTES)), Err(Error::TooLarge));
    assert!(
        Jws::parse_within(&over, over.len()).is_ok(),
        "documents may be larger"
    );
}

/// T11: depth and members of claims.
#[test]
fn claims_are_shallow_and_few() {
    let nested = |levels: usize| {
        let mut claims = claims();
        let deep = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        claims["a"] = serde_json::from_str(&deep).unwrap();
        verify(&with_payload(&claims.to_string()))
    };
    assert_eq!(nested(15), Ok(()), "16 with the claims set itself");
    assert_eq!(nested(16), Err(Error::TooDeep));
    let wide = |members: usize| {
        let mut claims = claims();
        for i in 6..members {
            claims[format!("claim{i}")] = json!(i);
        }
        verify(&with_payload(&claims.to_string()))
    };
    assert_eq!(wide(64), Ok(()));
    assert_eq!(wide(65), Err(Error::TooManyMembers));
}
