//! T2, T14: which keys and key sets are taken, and what ours look like.

use plinto_jose::{Algorithm, Error, Jwk, JwkSet, Jws, SigningKey, jwt};
use serde_json::{Value, json};

use crate::mint::{NOW_S, claims, compact, decode, encode, expectations, key, keys, with_claim};

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

/// T14: a set with too many keys or too many bytes is refused, and so is what is no set.
#[test]
fn key_sets_are_bounded() {
    assert_eq!(
        parse(&(0..100).map(numbered).collect::<Vec<_>>())
            .keys
            .len(),
        100
    );
    let many: Vec<_> = (0..101).map(numbered).collect();
    let many = json!({"keys": many}).to_string();
    assert_eq!(JwkSet::parse(many.as_bytes()), Err(Error::TooManyKeys));
    for malformed in [r#"{"keys":{}}"#, "{}", "[]", r#"{"keys":[],"keys":[]}"#] {
        assert!(JwkSet::parse(malformed.as_bytes()).is_err(), "{malformed}");
    }
    let spaces = " ".repeat(plinto_jose::MAX_JWK_SET_BYTES);
    assert_eq!(
        JwkSet::parse(format!(r#"{{"keys":[]}}{spaces}"#).as_bytes()),
        Err(Error::TooLarge)
    );
}

fn parse(keys: &[Value]) -> JwkSet {
    JwkSet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
}

/// A good key of that name.
fn numbered(number: usize) -> Value {
    named(Algorithm::Es256, &format!("k{number}"))
}

fn named(algorithm: Algorithm, kid: &str) -> Value {
    let mut value = key(algorithm).public().to_value();
    value["kid"] = json!(kid);
    value
}

/// T14, RFC 7517 §5: what can't be used is skipped and counted, and takes no other key with it.
#[test]
fn one_odd_key_does_not_make_a_set_useless() {
    let mut encryption = numbered(1);
    encryption["use"] = json!("enc");
    let mut odd = vec![
        encryption,
        json!({"kty": "oct", "k": "AAAA", "kid": "o"}),
        json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "pq"}),
        json!({"kty": "EC", "crv": "P-521", "kid": "p521"}),
        json!({"kid": "no-type"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "tiny"}),
        json!({"kty": 1}),
        json!({}),
        json!(1),
        json!(null),
        json!([]),
    ];
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        let mut leaked = numbered(1);
        leaked[name] = json!("AAAA");
        odd.push(leaked);
    }
    for odd in &odd {
        for keys in [
            vec![odd.clone(), numbered(0)],
            vec![numbered(0), odd.clone()],
        ] {
            let set = parse(&keys);
            assert_eq!((set.keys.len(), set.skipped), (1, 1), "{odd}");
            assert!(set.find("k0", Algorithm::Es256).is_some(), "{odd}");
        }
    }
    let count = odd.len();
    assert_eq!(parse(&odd).skipped, count);
    assert_eq!(parse(&[]), JwkSet::default());
}

/// T14, RFC 7517 §4.5: one key id may name several keys, as long as `use`, `kty` or `alg` says which.
#[test]
fn keys_of_one_id_are_told_apart_by_use_type_and_algorithm() {
    let rs = named(Algorithm::Rs256, "a");
    let ps = named(Algorithm::Ps256, "a");
    let es = named(Algorithm::Es256, "a");
    let mut encryption = named(Algorithm::Rs384, "a");
    encryption["use"] = json!("enc");
    encryption["alg"] = json!("RSA-OAEP");
    let set = parse(&[encryption, es, rs.clone(), ps]);
    assert_eq!((set.keys.len(), set.skipped), (3, 1));
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256] {
        let header = json!({"alg": algorithm.as_str(), "kid": "a", "typ": "at+jwt"});
        let token = compact(&header.to_string(), &claims().to_string(), key(algorithm));
        assert!(
            jwt::verify(&token, &set, &expectations(), NOW_S).is_ok(),
            "{algorithm}"
        );
    }
    let header = json!({"alg": "ES384", "kid": "a", "typ": "at+jwt"});
    let token = compact(
        &header.to_string(),
        &claims().to_string(),
        key(Algorithm::Es384),
    );
    let got = jwt::verify(&token, &set, &expectations(), NOW_S).map(|_| ());
    assert_eq!(got, Err(Error::Algorithm));
    // the same key twice leaves no doubt
    assert!(
        parse(&[rs.clone(), rs])
            .find("a", Algorithm::Rs256)
            .is_some()
    );
}

/// T14: where two keys answer to one id and algorithm, neither is taken, and others stay.
#[test]
fn two_keys_that_nothing_tells_apart_are_both_left_out() {
    let first = named(Algorithm::Es256, "a");
    let mut second = SigningKey::generate(Algorithm::Es256)
        .unwrap()
        .public()
        .to_value();
    second["kid"] = json!("a");
    let set = parse(&[first, numbered(0), second]);
    assert_eq!((set.keys.len(), set.skipped), (1, 2));
    assert!(set.find("a", Algorithm::Es256).is_none());
    assert!(set.find("k0", Algorithm::Es256).is_some());
    // also where nobody parsed the set
    let mut other = SigningKey::generate(Algorithm::Es256).unwrap().public();
    other.kid = key(Algorithm::Es256).public().kid;
    let set = JwkSet::from(vec![key(Algorithm::Es256).public(), other]);
    let got = jwt::verify(&with_claim("a", json!(1)), &set, &expectations(), NOW_S).map(|_| ());
    assert_eq!(got, Err(Error::UnknownKey));
}

/// T2: moduli whose factors are found in days (CVE-2017-15361). Source: the positive samples of the
/// discoverers' test, `pubkey03` and `cert04` of crocs-muni/roca.
#[test]
fn a_key_of_the_roca_kind_is_refused() {
    let with = |n: &str| {
        let value = json!({"kty": "RSA", "n": n, "e": "AQAB"});
        Jwk::from_value(&value).map(|_| ())
    };
    for n in [
        "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE",
        "AlkntSul5oyMkmi7khjzdnNhTKZUGPR0WxQ81O5T-Ukcmg4cLyOpUWMGr_vzhme4cbwMyC5g9bsan6FaVnGnZcnyG5WH2AEVlkNyo4PIg7Dcv2x3VwazHq_z4_1IhVmgjN6iD5qXxMWba4qO7KRX1Kgg1JUJ91kzYwK8oaNpCwgJGBH4WPLozqWmI1WtbgQdGTXtpZKJtZdoO3PiZXrnS__HYOTVE8yH25NVkY6qCNOYu-X2g13IcSUhG5s2s6C8cLmTpss_fSy0Bh3nPblyyUKt-ZVbb-TNkPANCIrsBK8fXv-R8hr17URhfH24CT-VNm2yZYDErzmd65T5sUEwW-E",
    ] {
        assert_eq!(with(n), Err(Error::WeakKey));
        // a modulus beside it is none of the kind
        let mut beside = decode(n);
        beside[200] ^= 1;
        assert_eq!(with(&encode(&beside)), Ok(()));
    }
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        assert_eq!(
            with(key(algorithm).public().to_value()["n"].as_str().unwrap()),
            Ok(())
        );
    }
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
