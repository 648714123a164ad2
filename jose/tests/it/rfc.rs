//! Known answers from RFC 7515, 7516, 7517, 7519, 7520, 7638 and 8037.

use plinto_jose::{
    Algorithm, Error, Jwk, JwkSet, Jws, SignatureJob, SigningKey, verify, verify_with,
};
use serde_json::json;

use crate::mint::{decode, encode};
use crate::wycheproof::BACKENDS;

/// RFC 7515 §3.3, A.1 to A.3: `{"iss":"joe",…}`.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
/// RFC 7515 A.2.1.
const A2_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-\
    4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL\
    -bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG\
    4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
/// RFC 7515 A.2.1.
const A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm\
    4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6x\
    BArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ\
    1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// RFC 7515 A.3.1.
const A3_SIGNATURE: &str =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// RFC 7517 A.1 and RFC 7638 §3.1.
const A1_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPF\
    FxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-6\
    5YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWh\
    AI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
/// RFC 7520 §3.3.
const BILBO_MODULUS: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJW\
    TDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6A\
    j-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-t\
    VTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
/// RFC 7520 §4, figure 7, encoded.
const BILBO_PAYLOAD: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG\
    9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlz\
    IG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
/// RFC 7520 §4.1.2, figure 12.
const BILBO_RS256: &str = "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4\
    mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1\
    uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1\
    U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
/// RFC 8037 A.1 and A.2.
const ED25519_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
/// RFC 8037 A.2.
const ED25519_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// RFC 8037 A.4.
const ED25519_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn rsa(modulus: &str) -> Jwk {
    Jwk::from_value(&json!({"kty": "RSA", "n": modulus, "e": "AQAB"})).unwrap()
}

/// Good under both backends, bad with any bit of message or signature turned.
fn assert_known_answer(token: &str, key: &Jwk) {
    let jws = Jws::parse(token).unwrap();
    for backend in BACKENDS {
        let job = jws.signature_job(key).unwrap();
        assert_eq!(verify_with(backend, &job), Ok(()), "{backend:?}");
        for i in 0..jws.signature.len() {
            let mut signature = jws.signature.clone();
            signature[i] ^= 1 << (i % 8);
            let job = SignatureJob {
                signature: &signature,
                ..job
            };
            assert_eq!(
                verify_with(backend, &job),
                Err(Error::Signature),
                "{backend:?} byte {i}"
            );
        }
        let mut message = job.message.to_vec();
        message[0] ^= 1;
        let job = SignatureJob {
            message: &message,
            ..job
        };
        assert_eq!(
            verify_with(backend, &job),
            Err(Error::Signature),
            "{backend:?}"
        );
    }
}

/// RFC 7515 A.1: HS256, which no verifier of ours knows.
#[test]
fn rfc7515_a1_hmac_is_refused() {
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert_eq!(Jws::parse(&token), Err(Error::Algorithm));
}

/// RFC 7515 A.2.
#[test]
fn rfc7515_a2_rs256() {
    assert_known_answer(
        &format!("eyJhbGciOiJSUzI1NiJ9.{JOE}.{A2_SIGNATURE}"),
        &rsa(A2_MODULUS),
    );
}

/// RFC 7515 A.3.
#[test]
fn rfc7515_a3_es256() {
    let key = Jwk::parse(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    )
    .unwrap();
    assert_known_answer(&format!("eyJhbGciOiJFUzI1NiJ9.{JOE}.{A3_SIGNATURE}"), &key);
}

/// RFC 7515 A.4 (ES512) and A.5 (`none`).
#[test]
fn rfc7515_a4_and_a5_are_refused() {
    assert_eq!(
        Jws::parse("eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwM"),
        Err(Error::Algorithm)
    );
    assert_eq!(
        Jws::parse(&format!("eyJhbGciOiJub25lIn0.{JOE}.")),
        Err(Error::Malformed)
    );
    assert_eq!(
        Jws::parse(&format!("eyJhbGciOiJub25lIn0.{JOE}.AA")),
        Err(Error::Algorithm)
    );
}

/// RFC 7515 A.6 and A.7: the JSON serializations.
#[test]
fn rfc7515_a6_json_serializations_are_refused() {
    let flattened = json!({
        "payload": JOE,
        "protected": "eyJhbGciOiJFUzI1NiJ9",
        "header": {"kid": "e9bc097a-ce51-4036-9562-d2ade882db0d"},
        "signature": A3_SIGNATURE,
    });
    assert_eq!(Jws::parse(&flattened.to_string()), Err(Error::Malformed));
}

/// RFC 7515 A.6.4, RFC 7515 Appendix E: an extension nobody here understands.
#[test]
fn rfc7515_e_critical_extensions_are_refused() {
    let header = encode(br#"{"alg":"ES256","crit":["http://example.invalid/UNDEFINED"]}"#);
    assert_eq!(
        Jws::parse(&format!("{header}.RkFJTA.AA")),
        Err(Error::HeaderParameter)
    );
}

/// RFC 7519 A.1 (an encrypted JWT) and §6.1 (an unsecured one).
#[test]
fn rfc7519_encrypted_and_unsecured_tokens_are_refused() {
    let encrypted = "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.QR1Owv2ug2WyPBnbQrRARTeEk9\
        kDO2w8qDcjiHnSJflSdv1iNqhWXaKH4MqAkQtMoNfABIPJaZm0HaA415sv3aeuBWnD8J-Ui7Ah6cWafs3ZwwFKDFUU\
        sWHSK-IPKxLGTkND09XyjORj_CHAgOPJ-Sd8ONQRnJvWn_hXV1BNMHzUjPyYwEsRhDhzjAD26imasOTsgruobpYGoQ\
        cXUwFDn7moXPRfDE8-NoQX7N7ZYMmpUDkR-Cx9obNGwJQ3nM52YCitxoQVPzjbl7WBuB7AohdBoZOdZ24WlN1lVIeh\
        8v1K4krB8xgKvRU8kgFrEn_a1rZgN5TiysnmzTROF869lQ.AxY8DCtDaGlsbGljb3RoZQ.MKOle7UQrG6nSxTLX6Mq\
        wt0orbHvAKeWnDYvpIAeZ72deHxz3roJDXQyhxx0wKaMHDjUEOKIwrtkHthpqEanSBNYHZgmNOV7sln1Eu9g3J8.fi\
        K51VwhsxJ-siBMR-YFiA";
    assert_eq!(Jws::parse(encrypted), Err(Error::Encrypted));
    let unsecured = format!("eyJhbGciOiJub25lIn0.{JOE}.");
    assert_eq!(Jws::parse(&unsecured), Err(Error::Malformed));
}

/// RFC 7519 §3.1: the claims set of the example, whose `exp` is long past.
#[test]
fn rfc7519_claims_are_read() {
    let expected = plinto_jose::jwt::Expectations {
        typ: "JWT",
        issuer: "joe",
        audience: "none is named",
        algorithms: &[Algorithm::Es256],
        leeway_s: 0,
    };
    let got = plinto_jose::jwt::check_claims(&decode(JOE), &expected, 1_300_819_379);
    assert_eq!(got, Err(Error::Claim), "no audience");
    let claims = plinto_jose::json::parse_object(&decode(JOE)).unwrap();
    assert_eq!(claims["exp"], 1_300_819_380);
    assert_eq!(claims["http://example.com/is_root"], true);
}

/// RFC 7517 A.1: of the two public keys one is for encryption.
#[test]
fn rfc7517_a1_public_keys() {
    let text = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
         "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "enc", "kid": "1"},
        {"kty": "RSA", "n": A1_MODULUS, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"},
    ]});
    let set = JwkSet::parse(text.to_string().as_bytes()).unwrap();
    assert_eq!(set.keys.len(), 1);
    let key = set.find("2011-04-29", Algorithm::Rs256).unwrap();
    assert!(key.fits(Algorithm::Rs256) && !key.fits(Algorithm::Ps256));
    assert!(set.find("1", Algorithm::Es256).is_none());
    assert_eq!(set.skipped, 1);
}

/// RFC 7517 A.2 and A.3: private and symmetric keys have no place in a published set.
#[test]
fn rfc7517_a2_and_a3_secrets_are_skipped() {
    let private = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
         "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
         "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE", "use": "enc", "kid": "1"},
    ]});
    let symmetric =
        json!({"keys": [{"kty": "oct", "alg": "A128KW", "k": "GawgguFyGrWKav7AX4VKUg"}]});
    for secrets in [private, symmetric] {
        let set = JwkSet::parse(secrets.to_string().as_bytes()).unwrap();
        assert_eq!((set.keys.len(), set.skipped), (0, 1));
    }
}

/// RFC 7520 §4.1. Its key id holds an `@`, which T12 doesn't let into a map; so the signature is
/// checked by itself, and the token refused for the key id alone.
#[test]
fn rfc7520_4_1_rs256() {
    let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let key = rsa(BILBO_MODULUS);
    let message = format!("{header}.{BILBO_PAYLOAD}");
    let signature = decode(BILBO_RS256);
    let job = SignatureJob {
        alg: Algorithm::Rs256,
        key: &key,
        message: message.as_bytes(),
        signature: &signature,
    };
    assert_eq!(verify(&job), Ok(()));
    assert_eq!(
        Jws::parse(&format!("{message}.{BILBO_RS256}")),
        Err(Error::KeyId)
    );
}

/// RFC 7520 §4.2 (PS384), §4.3 (ES512), §4.4 (HS256): not on our list.
#[test]
fn rfc7520_4_2_to_4_4_are_refused() {
    for header in [
        r#"{"alg":"PS384"}"#,
        r#"{"alg":"ES512"}"#,
        r#"{"alg":"HS256"}"#,
    ] {
        let token = format!("{}.{BILBO_PAYLOAD}.AAAA", encode(header.as_bytes()));
        assert_eq!(Jws::parse(&token), Err(Error::Algorithm), "{header}");
    }
}

/// RFC 7638 §3.1.
#[test]
fn rfc7638_thumbprint() {
    let key = Jwk::from_value(
        &json!({"kty": "RSA", "n": A1_MODULUS, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}),
    )
    .unwrap();
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

/// RFC 8037 A.3.
#[test]
fn rfc8037_thumbprint() {
    let key =
        Jwk::from_value(&json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_PUBLIC})).unwrap();
    assert_eq!(
        key.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

/// RFC 8037 A.4 and A.5. Ed25519 is deterministic, so signing has a known answer too.
#[test]
fn rfc8037_ed25519() {
    // RFC 8410 §7: PKCS#8 version 1 around the 32-byte seed.
    let mut pkcs8 = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    pkcs8.extend(decode(ED25519_SEED));
    let key = SigningKey::from_pkcs8(Algorithm::EdDsa, &pkcs8).unwrap();
    assert_eq!(key.public().to_value()["x"], ED25519_PUBLIC);
    assert_known_answer(ED25519_TOKEN, &key.public());
    let minted = crate::mint::compact(r#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing", &key);
    assert_eq!(minted, ED25519_TOKEN);
    let ours = key.sign(None, b"Example of Ed25519 signing").unwrap();
    let jws = Jws::parse(&ours).unwrap();
    assert_eq!(verify(&jws.signature_job(&key.public()).unwrap()), Ok(()));
}
