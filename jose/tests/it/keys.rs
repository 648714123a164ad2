//! T2, T14: which keys and key sets are taken, and what ours look like.

use plinto_jose::{Algorithm, Error, Jwk, JwkSet, Jws, SigningKey};
use serde_json::{Value, json};

use crate::mint::{decode, encode, key, keys};

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
