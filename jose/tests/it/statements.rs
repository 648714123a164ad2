//! The token statements T1 to T11, each with tokens whose only fault is the one named.

use plinto_jose::jwt::{self, Expectations};
use plinto_jose::{Algorithm, Error, Jwk, JwkSet, Jws, MAX_TOKEN_BYTES, SigningKey};
use serde_json::{Value, json};

use crate::mint::{
    AUDIENCE, ISSUER, NOW_S, claims, compact, decode, encode, expectations, header, key, keys,
};

fn verify(token: &str) -> Result<(), Error> {
    jwt::verify(token, &keys(), &expectations(), NOW_S).map(|_| ())
}

/// Signs `payload` with a good header.
fn with_payload(payload: &str) -> String {
    let key = key(Algorithm::Es256);
    compact(&header(key).to_string(), payload, key)
}

fn with_claim(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims[name] = value;
    with_payload(&claims.to_string())
}

fn without_claim(name: &str) -> String {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    with_payload(&claims.to_string())
}

/// Signs good claims with `header`.
fn with_header(header: &str) -> String {
    compact(header, &claims().to_string(), key(Algorithm::Es256))
}

fn with_parameter(name: &str, value: Value) -> String {
    let mut header = header(key(Algorithm::Es256));
    header[name] = value;
    with_header(&header.to_string())
}

#[test]
fn a_good_token_passes_with_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let token = key
            .sign(Some("at+jwt"), claims().to_string().as_bytes())
            .unwrap();
        let got = jwt::verify(&token, &keys(), &expectations(), NOW_S).unwrap();
        assert_eq!(Value::Object(got), claims(), "{algorithm}");
    }
}

/// T1: the algorithm's name is compared byte for byte.
#[test]
fn algorithm_names_are_exact() {
    for name in [
        "none", "None", "NONE", "noNE", "", "hs256", "HS256", "es256", "ES256 ", "ES512",
    ] {
        assert_eq!(
            verify(&with_parameter("alg", json!(name))),
            Err(Error::Algorithm),
            "{name:?}"
        );
    }
    for value in [json!(null), json!(["ES256"]), json!(256)] {
        assert_eq!(verify(&with_parameter("alg", value)), Err(Error::Header));
    }
    assert_eq!(
        verify(&with_header(r#"{"typ":"at+jwt"}"#)),
        Err(Error::Header)
    );
}

/// T1: an algorithm that the issuer doesn't use is refused though key and signature are good.
#[test]
fn algorithms_off_the_allow_list_are_refused() {
    for algorithm in Algorithm::ALL {
        let token = key(algorithm)
            .sign(Some("at+jwt"), claims().to_string().as_bytes())
            .unwrap();
        let others: Vec<Algorithm> = Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
            .collect();
        let expected = Expectations {
            algorithms: &others,
            ..expectations()
        };
        let got = jwt::verify(&token, &keys(), &expected, NOW_S).map(|_| ());
        assert_eq!(got, Err(Error::Algorithm), "{algorithm}");
    }
}

/// T1, T2: a key serves its own algorithm and no other; all pairs.
#[test]
fn one_key_has_one_algorithm() {
    for signer in Algorithm::ALL {
        for claimed in Algorithm::ALL {
            let mut header = header(key(signer));
            header["alg"] = json!(claimed.as_str());
            let token = compact(&header.to_string(), &claims().to_string(), key(signer));
            let got = verify(&token);
            if signer == claimed {
                assert_eq!(got, Ok(()), "{signer}");
            } else {
                assert_eq!(got, Err(Error::Algorithm), "{signer} as {claimed}");
            }
        }
    }
}

/// T2: an RSA key without `alg` serves RS256 only, not whatever the token asks for.
#[test]
fn a_key_without_alg_still_has_one_algorithm() {
    let mut public = key(Algorithm::Ps256).public();
    public.alg = None;
    public.kid = None;
    let keys = JwkSet {
        keys: vec![public.clone()],
    };
    assert_eq!(public.algorithm(), Algorithm::Rs256);
    for claimed in [
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Es256,
    ] {
        assert!(!public.fits(claimed), "{claimed}");
        let header = json!({"alg": claimed.as_str(), "typ": "at+jwt"});
        let token = compact(
            &header.to_string(),
            &claims().to_string(),
            key(Algorithm::Ps256),
        );
        let got = jwt::verify(&token, &keys, &expectations(), NOW_S).map(|_| ());
        assert_eq!(got, Err(Error::UnknownKey), "{claimed}");
    }
}

/// T2: the classic confusion. A token "signed" with HMAC under the public key's own text has
/// nowhere to go: no name parses to HMAC.
#[test]
fn public_keys_are_never_hmac_secrets() {
    for name in ["HS256", "HS384", "HS512"] {
        assert_eq!(name.parse::<Algorithm>(), Err(Error::Algorithm));
    }
    let secret = key(Algorithm::Rs256).public().to_value().to_string();
    let input = format!(
        "{}.{}",
        encode(br#"{"alg":"HS256","typ":"at+jwt"}"#),
        encode(claims().to_string().as_bytes())
    );
    let mac_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let mac = aws_lc_rs::hmac::sign(&mac_key, input.as_bytes());
    let token = format!("{input}.{}", encode(mac.as_ref()));
    assert_eq!(verify(&token), Err(Error::Algorithm));
}

/// T2: short moduli, small and even exponents, wrong curves, points too long or too short.
#[test]
fn weak_and_malformed_keys_are_refused() {
    let rsa = key(Algorithm::Rs256).public().to_value();
    let spoiled = |name: &str, bytes: &[u8]| {
        let mut value = rsa.clone();
        value[name] = json!(encode(bytes));
        Jwk::from_value(&value).map(|_| ())
    };
    assert_eq!(spoiled("n", &[0xff; 128]), Err(Error::WeakKey), "1024 bits");
    let mut n2047 = [0xff; 256];
    n2047[0] = 0x7f;
    assert_eq!(spoiled("n", &n2047), Err(Error::WeakKey), "2047 bits");
    assert_eq!(
        spoiled("n", &[0xff; 513]),
        Err(Error::UnsupportedKey),
        "4104 bits"
    );
    let mut even = [0xff; 256];
    even[255] = 0xfe;
    assert_eq!(spoiled("n", &even), Err(Error::Key), "even");
    assert_eq!(spoiled("e", &[3]), Err(Error::WeakKey));
    assert_eq!(spoiled("e", &[0xff, 0xff]), Err(Error::WeakKey), "65535");
    assert_eq!(spoiled("e", &[1, 0, 1]), Ok(()));
    assert_eq!(spoiled("e", &[1, 0, 2]), Err(Error::Key), "even");
    assert_eq!(spoiled("e", &[0, 1, 0, 1]), Err(Error::Key), "leading zero");
    assert_eq!(
        spoiled("e", &[1, 0, 0, 0, 1]),
        Err(Error::UnsupportedKey),
        "over 32 bits"
    );
    assert_eq!(spoiled("e", &[]), Err(Error::Key));

    let ec = key(Algorithm::Es256).public().to_value();
    let ec_with = |name: &str, value: Value| {
        let mut key = ec.clone();
        key[name] = value;
        Jwk::from_value(&key).map(|_| ())
    };
    assert_eq!(ec_with("crv", json!("P-521")), Err(Error::UnsupportedKey));
    assert_eq!(
        ec_with("crv", json!("secp256k1")),
        Err(Error::UnsupportedKey)
    );
    assert_eq!(ec_with("crv", json!("P-384")), Err(Error::Key));
    assert_eq!(ec_with("x", json!(encode(&[1; 31]))), Err(Error::Key));
    assert_eq!(ec_with("x", json!(encode(&[1; 33]))), Err(Error::Key));
    assert_eq!(ec_with("alg", json!("ES384")), Err(Error::Key));
    assert_eq!(ec_with("alg", json!("ECDH-ES")), Err(Error::UnsupportedKey));
    assert_eq!(ec_with("use", json!("enc")), Err(Error::UnsupportedKey));
    assert_eq!(
        ec_with("key_ops", json!(["sign"])),
        Err(Error::UnsupportedKey)
    );
    assert_eq!(ec_with("key_ops", json!(["verify"])), Ok(()));
    assert_eq!(
        ec_with("d", json!(encode(&[1; 32]))),
        Err(Error::PrivateKey)
    );
}

/// T2: a point off the curve checks no signature, with either backend.
#[test]
fn points_off_the_curve_check_nothing() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384] {
        let token = key(algorithm).sign(Some("at+jwt"), b"{}").unwrap();
        let jws = Jws::parse(&token).unwrap();
        let mut value = key(algorithm).public().to_value();
        let mut y = decode(value["y"].as_str().unwrap());
        let last = y.len() - 1;
        y[last] ^= 1;
        value["y"] = json!(encode(&y));
        let off_curve = Jwk::from_value(&value).unwrap();
        let job = jws.signature_job(&off_curve).unwrap();
        for backend in crate::wycheproof::BACKENDS {
            assert_eq!(
                plinto_jose::verify_with(backend, &job),
                Err(Error::Signature)
            );
        }
    }
}

/// T2: low-order and non-canonical Ed25519 points are no keys.
#[test]
fn degenerate_edwards_points_are_refused() {
    let okp = |x: [u8; 32]| {
        let value = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&x)});
        Jwk::from_value(&value).map(|_| ())
    };
    let with = |low: u8, middle: u8, top: u8| {
        let mut x = [middle; 32];
        x[0] = low;
        x[31] = top;
        x
    };
    for top in [0x00, 0x80] {
        assert_eq!(okp(with(0, 0, top)), Err(Error::WeakKey), "y = 0");
        assert_eq!(okp(with(1, 0, top)), Err(Error::WeakKey), "y = 1");
        assert_eq!(
            okp(with(0xec, 0xff, top | 0x7f)),
            Err(Error::WeakKey),
            "y = p - 1"
        );
        for low in 0xed..=0xff {
            assert_eq!(
                okp(with(low, 0xff, top | 0x7f)),
                Err(Error::Key),
                "y = p + {low}"
            );
        }
    }
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let bytes: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&order_8[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    assert_eq!(okp(bytes.try_into().unwrap()), Err(Error::WeakKey));
    let good = key(Algorithm::EdDsa).public().to_value();
    assert!(Jwk::from_value(&good).is_ok());
}

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

/// T4: parameters that bring their own key or reading, and any `crit`.
#[test]
fn headers_that_steer_the_verifier_are_refused() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("x5c", json!([])),
        ("jwk", key(Algorithm::Es256).public().to_value()),
    ] {
        assert_eq!(
            verify(&with_parameter(name, value)),
            Err(Error::HeaderParameter),
            "{name}"
        );
    }
    assert_eq!(
        verify(&with_header(
            r#"{"alg":"ES256","typ":"at+jwt","\u0063rit":["x"]}"#
        )),
        Err(Error::HeaderParameter),
        "escaped name"
    );
}

/// T4: other parameters are none of our business (RFC 7515 §4).
#[test]
fn unknown_parameters_are_ignored() {
    assert_eq!(verify(&with_parameter("x5t", json!("abc"))), Ok(()));
    assert_eq!(verify(&with_parameter("nonce", json!({"a": 1}))), Ok(()));
}

/// T5: five parts are a JWE.
#[test]
fn encrypted_tokens_are_refused() {
    let token = with_payload(&claims().to_string());
    assert_eq!(verify(&format!("{token}.AA.AA")), Err(Error::Encrypted));
    assert_eq!(verify("AA.AA.AA.AA.AA"), Err(Error::Encrypted));
    assert_eq!(verify("AA....AA"), Err(Error::Encrypted));
}

/// T6: every kind of token is refused by the verifiers of all others.
#[test]
fn each_kind_of_token_is_only_its_own() {
    let kinds = [
        "at+jwt",
        "JWT",
        "logout+jwt",
        "plinto-revocations+jwt",
        "dpop+jwt",
    ];
    for made in kinds {
        for prefix in ["", "application/"] {
            let token = with_parameter("typ", json!(format!("{prefix}{made}")));
            for wanted in kinds {
                let expected = Expectations {
                    typ: wanted,
                    ..expectations()
                };
                let got = jwt::verify(&token, &keys(), &expected, NOW_S).map(|_| ());
                let want = if made == wanted {
                    Ok(())
                } else {
                    Err(Error::Type)
                };
                assert_eq!(got, want, "{prefix}{made} as {wanted}");
            }
        }
    }
}

/// T6: `typ` is exact, and must be there.
#[test]
fn near_misses_of_the_type_are_refused() {
    for typ in [
        "AT+JWT",
        "at+jwt ",
        "at+jwt;x=1",
        "",
        "application/",
        "text/at+jwt",
        "application/application/at+jwt",
    ] {
        assert_eq!(
            verify(&with_parameter("typ", json!(typ))),
            Err(Error::Type),
            "{typ:?}"
        );
    }
    assert_eq!(verify(&with_header(r#"{"alg":"ES256"}"#)), Err(Error::Type));
    assert_eq!(
        verify(&with_parameter("typ", json!(null))),
        Err(Error::Header)
    );
}

/// T7: `exp` is required, and times are whole numbers of seconds that all parsers read alike.
#[test]
fn times_are_whole_seconds() {
    assert_eq!(verify(&without_claim("exp")), Err(Error::Claim));
    assert_eq!(verify(&without_claim("nbf")), Ok(()));
    assert_eq!(verify(&without_claim("iat")), Ok(()));
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1800000300"),
            json!(null),
            json!(true),
            json!([NOW_S]),
            json!(-1),
            json!(i64::MIN),
            json!(1_800_000_300.5),
            json!(9_007_199_254_740_993_i64),
            json!(u64::MAX),
        ] {
            let got = verify(&with_claim(name, value.clone()));
            assert_eq!(got, Err(Error::Claim), "{name} = {value}");
        }
        for text in [
            "1800000300.0",
            "18000003e2",
            "1e400",
            "-0",
            "01800000300",
            "+1800000300",
        ] {
            let payload = format!(
                r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","{}":1800000300,"{name}":{text}}}"#,
                if name == "exp" { "other" } else { "exp" },
            );
            let got = verify(&with_payload(&payload)).unwrap_err();
            assert!(
                matches!(got, Error::Claim | Error::Json),
                "{name} = {text}: {got}"
            );
        }
    }
    assert_eq!(
        verify(&with_claim("exp", json!(9_007_199_254_740_992_i64))),
        Ok(())
    );
}

/// T7: `exp` is the first second that is too late, `nbf` the first that is early enough.
#[test]
fn the_clock_is_read_to_the_second() {
    let at = |name: &str, value: i64, leeway_s: i64| {
        let expected = Expectations {
            leeway_s,
            ..expectations()
        };
        jwt::verify(&with_claim(name, json!(value)), &keys(), &expected, NOW_S).map(|_| ())
    };
    assert_eq!(at("exp", NOW_S + 1, 0), Ok(()));
    assert_eq!(at("exp", NOW_S, 0), Err(Error::Expired));
    assert_eq!(at("exp", 0, 0), Err(Error::Expired));
    assert_eq!(at("nbf", NOW_S, 0), Ok(()));
    assert_eq!(at("nbf", NOW_S + 1, 0), Err(Error::NotYetValid));
    assert_eq!(at("exp", NOW_S - 4, 5), Ok(()));
    assert_eq!(at("exp", NOW_S - 5, 5), Err(Error::Expired));
    assert_eq!(at("nbf", NOW_S + 5, 5), Ok(()));
    assert_eq!(at("nbf", NOW_S + 6, 5), Err(Error::NotYetValid));
}

/// T7: nobody can configure more than 30 s of leeway, or less than none.
#[test]
fn leeway_is_bounded() {
    for (leeway_s, bound) in [
        (31, 30),
        (86_400, 30),
        (i64::MAX, 30),
        (-1, 0),
        (i64::MIN, 0),
    ] {
        let expected = Expectations {
            leeway_s,
            ..expectations()
        };
        let at = |exp: i64| {
            let token = with_claim("exp", json!(exp));
            jwt::verify(&token, &keys(), &expected, NOW_S).map(|_| ())
        };
        assert_eq!(at(NOW_S - bound + 1), Ok(()), "{leeway_s}");
        assert_eq!(at(NOW_S - bound), Err(Error::Expired), "{leeway_s}");
    }
}

/// T8: `iss` is one string, the issuer's, to the byte.
#[test]
fn the_issuer_is_exact() {
    for issuer in [
        "https://id.example/t/other",
        "https://id.example/t/acme/",
        "https://id.example/t/ACME",
        "https://id.example/t/acm",
        "",
    ] {
        assert_eq!(
            verify(&with_claim("iss", json!(issuer))),
            Err(Error::Issuer),
            "{issuer:?}"
        );
    }
    for value in [
        json!([ISSUER]),
        json!(null),
        json!({"iss": ISSUER}),
        json!(1),
    ] {
        assert_eq!(verify(&with_claim("iss", value)), Err(Error::Claim));
    }
    assert_eq!(verify(&without_claim("iss")), Err(Error::Claim));
}

/// T9: the audience holds this service as a whole element.
#[test]
fn the_audience_is_a_whole_element() {
    assert_eq!(verify(&with_claim("aud", json!([AUDIENCE]))), Ok(()));
    assert_eq!(
        verify(&with_claim("aud", json!(["other", AUDIENCE]))),
        Ok(())
    );
    for value in [
        json!("https://api.example.attacker.example"),
        json!("https://api.exampl"),
        json!(format!("{AUDIENCE} other")),
        json!(format!("other,{AUDIENCE}")),
        json!([]),
        json!([format!("{AUDIENCE}/")]),
        json!(""),
    ] {
        assert_eq!(
            verify(&with_claim("aud", value.clone())),
            Err(Error::Audience),
            "{value}"
        );
    }
    for value in [
        json!(null),
        json!({"0": AUDIENCE}),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
    ] {
        assert_eq!(
            verify(&with_claim("aud", value.clone())),
            Err(Error::Claim),
            "{value}"
        );
    }
    assert_eq!(verify(&without_claim("aud")), Err(Error::Claim));
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

/// T12: a key id is a short plain name.
#[test]
fn key_ids_are_plain_names() {
    let longest = "k".repeat(64);
    for kid in ["a", "A-Z.a_z~09", longest.as_str()] {
        assert_eq!(
            verify(&with_parameter("kid", json!(kid))),
            Err(Error::UnknownKey),
            "{kid}"
        );
    }
    let too_long = "k".repeat(65);
    for kid in [
        "",
        too_long.as_str(),
        "../../etc/passwd",
        "a b",
        "a'--",
        "a\0",
        "ключ",
        "a/b",
        "a%2f",
    ] {
        assert_eq!(
            verify(&with_parameter("kid", json!(kid))),
            Err(Error::KeyId),
            "{kid:?}"
        );
        let mut jwk = key(Algorithm::Es256).public().to_value();
        jwk["kid"] = json!(kid);
        assert_eq!(
            Jwk::from_value(&jwk).map(|_| ()),
            Err(Error::KeyId),
            "{kid:?}"
        );
    }
    assert_eq!(
        verify(&with_parameter("kid", json!(["a"]))),
        Err(Error::Header)
    );
}

/// Without a key id exactly one key may answer.
#[test]
fn tokens_without_a_key_id_need_a_single_candidate() {
    let token = with_header(r#"{"alg":"ES256","typ":"at+jwt"}"#);
    assert_eq!(verify(&token), Ok(()));
    let mut two = keys();
    two.keys
        .push(SigningKey::generate(Algorithm::Es256).unwrap().public());
    let got = jwt::verify(&token, &two, &expectations(), NOW_S).map(|_| ());
    assert_eq!(got, Err(Error::UnknownKey));
}

/// T14: a set with too many keys, too many bytes, a repeated key id, or secrets is refused.
#[test]
fn key_sets_are_bounded_and_public() {
    let good = key(Algorithm::Es256).public().to_value();
    let parse = |keys: Vec<Value>| JwkSet::parse(json!({"keys": keys}).to_string().as_bytes());
    let numbered = |i: usize| {
        let mut key = good.clone();
        key["kid"] = json!(format!("k{i}"));
        key
    };
    assert_eq!(
        parse((0..100).map(numbered).collect()).unwrap().keys.len(),
        100
    );
    assert_eq!(
        parse((0..101).map(numbered).collect()),
        Err(Error::TooManyKeys)
    );
    assert_eq!(
        parse(vec![good.clone(), good.clone()]),
        Err(Error::DuplicateKeyId)
    );
    let mut encryption = numbered(0);
    encryption["use"] = json!("enc");
    assert_eq!(
        parse(vec![numbered(0), encryption.clone()]),
        Err(Error::DuplicateKeyId)
    );
    assert_eq!(parse(vec![encryption]).unwrap().keys.len(), 0);
    assert_eq!(
        parse(vec![json!({"kty": "oct", "k": "AAAA"})]),
        Err(Error::SymmetricKey)
    );
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        let mut leaked = numbered(1);
        leaked[name] = json!("AAAA");
        assert_eq!(
            parse(vec![numbered(0), leaked]),
            Err(Error::PrivateKey),
            "{name}"
        );
    }
    for ignored in [
        json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "pq"}),
        json!({"kty": "EC", "crv": "P-521", "kid": "p521"}),
        json!({"kid": "no-type"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "tiny"}),
    ] {
        let set = parse(vec![numbered(0), ignored.clone()]).unwrap();
        assert_eq!(set.keys.len(), 1, "{ignored}");
    }
    for malformed in [r#"{"keys":{}}"#, r#"{"keys":[1]}"#, "{}", "[]"] {
        assert!(JwkSet::parse(malformed.as_bytes()).is_err(), "{malformed}");
    }
    let spaces = " ".repeat(plinto_jose::MAX_JWK_SET_BYTES);
    assert_eq!(
        JwkSet::parse(format!(r#"{{"keys":[]}}{spaces}"#).as_bytes()),
        Err(Error::TooLarge)
    );
}

/// T14: what we publish holds no private member and reads back as itself.
#[test]
fn our_own_key_set_is_public_and_reads_back() {
    let value = keys().to_value();
    for key in value["keys"].as_array().unwrap() {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(name).is_none(), "{name}");
        }
        assert_eq!(key["use"], "sig");
    }
    assert_eq!(JwkSet::parse(value.to_string().as_bytes()).unwrap(), keys());
}

/// T16: signing twice never gives the same bytes to key a denylist by, ECDSA being randomised;
/// both spellings stay valid, so lists must go by `jti`.
#[test]
fn one_claims_set_has_many_signatures() {
    let payload = claims().to_string();
    let first = with_payload(&payload);
    let second = with_payload(&payload);
    assert_ne!(first, second);
    assert_eq!((verify(&first), verify(&second)), (Ok(()), Ok(())));
}

/// A signing key prints neither its bytes nor its numbers.
#[test]
fn signing_keys_do_not_print() {
    let key = key(Algorithm::EdDsa);
    let printed = format!("{key:?}");
    assert!(printed.contains("EdDsa"));
    let secret = format!("{:?}", key.to_pkcs8().as_slice());
    assert!(!printed.contains(secret.trim_matches(['[', ']'])));
    assert!(printed.len() < 200, "{printed}");
}

/// A private key reads back as itself, and not as another algorithm's.
#[test]
fn private_keys_read_back_for_their_own_algorithm() {
    for algorithm in Algorithm::ALL {
        let pkcs8 = key(algorithm).to_pkcs8();
        let again = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
        assert_eq!(again.public(), key(algorithm).public());
        assert_eq!(again.public().kid, Some(again.public().thumbprint()));
        for other in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
            if other != algorithm {
                assert_eq!(
                    SigningKey::from_pkcs8(other, &pkcs8).unwrap_err(),
                    Error::Key
                );
            }
        }
        assert_eq!(again.sign(None, b"").unwrap_err(), Error::Malformed);
    }
}
