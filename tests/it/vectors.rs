//! `contract/vectors/tokens.json`: tokens, good and bad, that every verifier of ours answers alike.
//!
//! The file is made once: `RENEW_VECTORS=1` makes it anew, with new keys.

use std::{fs, path::PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_jose::{Algorithm, JwkSet, SigningKey, jwt};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example/t/acme";
const AUDIENCE: &str = "https://api.acme.example";
const NOW_S: i64 = 1_763_300_100;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contract/vectors/tokens.json")
}

/// Statements T1, T3, T4, T6–T10: a known answer for each way to be wrong.
#[test]
fn every_token_gets_its_answer() {
    if std::env::var_os("RENEW_VECTORS").is_some() {
        fs::write(file(), format!("{:#}\n", renewed())).unwrap();
    }
    let vectors: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    let keys = JwkSet::parse(vectors["jwks"].to_string().as_bytes()).unwrap();
    let algorithms: Vec<Algorithm> = vectors["algorithms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().parse().unwrap())
        .collect();
    let expected = jwt::Expectations {
        typ: vectors["typ"].as_str().unwrap(),
        issuer: vectors["issuer"].as_str().unwrap(),
        audience: vectors["audience"].as_str().unwrap(),
        algorithms: &algorithms,
        leeway_s: vectors["leeway_s"].as_i64().unwrap(),
    };
    let now_s = vectors["now_s"].as_i64().unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let token = case["token"].as_str().unwrap();
        let answer = match jwt::verify(token, &keys, &expected, now_s) {
            Ok(_) => "accepted",
            Err(error) => error.code(),
        };
        assert_eq!(answer, case["answer"].as_str().unwrap(), "{}", case["name"]);
    }
    assert!(cases.len() >= 30, "only {} cases", cases.len());
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "user_01h455vb4pex5vsknk084sn02q", "aud": AUDIENCE,
        "exp": 1_763_300_600, "iat": 1_763_300_000, "jti": "tok_01h455vb4pex5vsknk084sn02q",
        "client_id": "plinto", "sid": "sess_01h455vb4pex5vsknk084sn02q",
        "tenant": "tenant_01h455vb4pex5vsknk084sn02q", "org": "org_01h455vb4pex5vsknk084sn02q",
        "roles": ["editor"], "epoch": 0, "amr": ["pwd"], "auth_time": 1_763_300_000,
    })
}

fn with(changes: &Value) -> Vec<u8> {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims.to_string().into_bytes()
}

fn part(text: &str) -> String {
    Base64UrlUnpadded::encode_string(text.as_bytes())
}

/// Puts another header before the payload and signature of `token`.
fn reheaded(token: &str, header: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", part(header))
}

#[expect(clippy::too_many_lines, reason = "a table of tokens")]
fn renewed() -> Value {
    let rs = SigningKey::generate(Algorithm::Rs256).unwrap();
    let es = SigningKey::generate(Algorithm::Es256).unwrap();
    let ed = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let stranger = SigningKey::generate(Algorithm::Rs256).unwrap();
    let typ = Some("at+jwt");
    let good = rs.sign(typ, claims().to_string().as_bytes()).unwrap();
    let rs_kid = rs.public().kid.unwrap();
    let es_kid = es.public().kid.unwrap();
    let (signed_part, signature) = good.rsplit_once('.').unwrap();

    let others = [
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Es384,
    ]
    .map(|algorithm| SigningKey::generate(algorithm).unwrap());

    let mut cases = Vec::new();
    let mut case = |name: &str, token: String, answer: &str| {
        cases.push(json!({ "name": name, "token": token, "answer": answer }));
    };
    case("RS256", good.clone(), "accepted");
    case(
        "ES256",
        es.sign(typ, claims().to_string().as_bytes()).unwrap(),
        "accepted",
    );
    case(
        "EdDSA",
        ed.sign(typ, claims().to_string().as_bytes()).unwrap(),
        "accepted",
    );
    for key in &others {
        let token = key.sign(typ, &with(&json!({}))).unwrap();
        case(key.algorithm().as_str(), token, "accepted");
    }
    case(
        "typ with its media type's prefix",
        rs.sign(Some("application/at+jwt"), &with(&json!({})))
            .unwrap(),
        "accepted",
    );
    case(
        "typ in capitals",
        rs.sign(Some("AT+JWT"), &with(&json!({}))).unwrap(),
        "accepted",
    );
    case(
        "several audiences",
        rs.sign(
            typ,
            &with(&json!({ "aud": ["https://x.example", AUDIENCE] })),
        )
        .unwrap(),
        "accepted",
    );
    case(
        "expired within the leeway",
        rs.sign(typ, &with(&json!({ "exp": NOW_S - 29 }))).unwrap(),
        "accepted",
    );
    case(
        "expired",
        rs.sign(typ, &with(&json!({ "exp": NOW_S - 30 }))).unwrap(),
        "token_expired",
    );
    case(
        "not valid yet",
        rs.sign(typ, &with(&json!({ "nbf": NOW_S + 31 }))).unwrap(),
        "token_not_yet_valid",
    );
    case(
        "no exp",
        rs.sign(typ, &with(&json!({ "exp": null }))).unwrap(),
        "claim_invalid",
    );
    case(
        "exp as a string",
        rs.sign(typ, &with(&json!({ "exp": "1763300600" })))
            .unwrap(),
        "claim_invalid",
    );
    for (name, value) in [
        ("exp", 1_763_300_600.5),
        ("iat", 1_763_299_999.75),
        ("nbf", 1_763_299_999.25),
        ("auth_time", 1_763_299_999.5),
    ] {
        case(
            &format!("{name} with a fraction"),
            rs.sign(typ, &with(&json!({ name: value }))).unwrap(),
            "accepted",
        );
    }
    case(
        "a negative fraction",
        rs.sign(typ, &with(&json!({ "iat": -0.5 }))).unwrap(),
        "claim_invalid",
    );
    case(
        "issued within the leeway",
        rs.sign(typ, &with(&json!({ "iat": NOW_S + 30 }))).unwrap(),
        "accepted",
    );
    case(
        "issued in the future",
        rs.sign(typ, &with(&json!({ "iat": NOW_S + 31 }))).unwrap(),
        "token_not_yet_valid",
    );
    case(
        "exp beyond 2^53",
        rs.sign(typ, &with(&json!({ "exp": 9_007_199_254_740_993_i64 })))
            .unwrap(),
        "claim_invalid",
    );
    case(
        "negative iat",
        rs.sign(typ, &with(&json!({ "iat": -1 }))).unwrap(),
        "claim_invalid",
    );
    case(
        "another issuer",
        rs.sign(typ, &with(&json!({ "iss": "https://id.example/t/other" })))
            .unwrap(),
        "issuer_mismatch",
    );
    case(
        "issuers as an array",
        rs.sign(typ, &with(&json!({ "iss": [ISSUER] }))).unwrap(),
        "claim_invalid",
    );
    case(
        "another audience",
        rs.sign(typ, &with(&json!({ "aud": "https://x.example" })))
            .unwrap(),
        "audience_mismatch",
    );
    case(
        "an audience that only begins alike",
        rs.sign(
            typ,
            &with(&json!({ "aud": format!("{AUDIENCE}.evil.example") })),
        )
        .unwrap(),
        "audience_mismatch",
    );
    case(
        "no audience",
        rs.sign(typ, &with(&json!({ "aud": null }))).unwrap(),
        "claim_invalid",
    );
    case(
        "another kind of token",
        rs.sign(Some("JWT"), &with(&json!({}))).unwrap(),
        "typ_not_allowed",
    );
    case(
        "no typ",
        rs.sign(None, &with(&json!({}))).unwrap(),
        "typ_not_allowed",
    );
    case(
        "a stranger's key",
        stranger.sign(typ, &with(&json!({}))).unwrap(),
        "key_unknown",
    );
    case(
        "a stranger's signature under our kid",
        {
            let forged = stranger.sign(typ, &with(&json!({}))).unwrap();
            let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": rs_kid });
            reheaded(&forged, &header.to_string())
        },
        "signature_invalid",
    );
    case(
        "alg none",
        format!(
            "{}.{}.",
            part(r#"{"alg":"none","typ":"at+jwt"}"#),
            part("{}")
        ),
        "token_malformed",
    );
    case(
        "alg none with a signature",
        reheaded(
            &good,
            &json!({ "alg": "none", "typ": "at+jwt", "kid": rs_kid }).to_string(),
        ),
        "alg_not_allowed",
    );
    case(
        "HS256 with the public key's kid",
        reheaded(
            &good,
            &json!({ "alg": "HS256", "typ": "at+jwt", "kid": rs_kid }).to_string(),
        ),
        "alg_not_allowed",
    );
    case(
        "rs256 in lower case",
        reheaded(
            &good,
            &json!({ "alg": "rs256", "typ": "at+jwt", "kid": rs_kid }).to_string(),
        ),
        "alg_not_allowed",
    );
    case(
        "ES256 with an RSA key's kid",
        reheaded(
            &good,
            &json!({ "alg": "ES256", "typ": "at+jwt", "kid": rs_kid }).to_string(),
        ),
        "alg_not_allowed",
    );
    case(
        "RS256 with an EC key's kid",
        reheaded(
            &good,
            &json!({ "alg": "RS256", "typ": "at+jwt", "kid": es_kid }).to_string(),
        ),
        "alg_not_allowed",
    );
    case(
        "crit",
        reheaded(
            &good,
            &json!({ "alg": "RS256", "typ": "at+jwt", "kid": rs_kid, "crit": ["exp"] }).to_string(),
        ),
        "header_parameter_not_allowed",
    );
    case(
        "a key of its own",
        reheaded(
            &good,
            &json!({ "alg": "RS256", "typ": "at+jwt", "kid": rs_kid, "jwk": {} }).to_string(),
        ),
        "header_parameter_not_allowed",
    );
    case("a key from its own address", reheaded(&good, &json!({ "alg": "RS256", "typ": "at+jwt", "kid": rs_kid, "jku": "https://evil.example" }).to_string()), "header_parameter_not_allowed");
    case(
        "kid as a path",
        reheaded(
            &good,
            &json!({ "alg": "RS256", "typ": "at+jwt", "kid": "../../key" }).to_string(),
        ),
        "kid_invalid",
    );
    case(
        "alg twice",
        reheaded(
            &good,
            &format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{rs_kid}","\u0061lg":"RS256"}}"#),
        ),
        "json_duplicate_member",
    );
    case(
        "sub twice",
        {
            let text = claims().to_string().replacen(
                '{',
                r#"{"\u0073ub":"user_00000000000000000000000000","#,
                1,
            );
            rs.sign(typ, text.as_bytes()).unwrap()
        },
        "json_duplicate_member",
    );
    case(
        "a changed signature",
        format!("{signed_part}.A{}", signature.replacen(|_| true, "", 1)),
        "signature_invalid",
    );
    case("padding", format!("{good}=="), "base64_invalid");
    case(
        "five parts",
        format!("{good}.{0}.{0}", part("x")),
        "token_encrypted",
    );
    case("two parts", signed_part.to_owned(), "token_malformed");
    case("a line break", format!("{good}\n"), "base64_invalid");
    case("nothing", String::new(), "token_malformed");

    // Beside them what other issuers publish: keys of the same names for other uses and algorithms,
    // and keys of no use.
    let named = |key: &SigningKey, kid: &str| {
        let mut value = key.public().to_value();
        value["kid"] = json!(kid);
        value
    };
    let mut encryption = named(&stranger, &rs_kid);
    encryption["use"] = json!("enc");
    encryption["alg"] = json!("RSA-OAEP");
    let namesake = SigningKey::generate(Algorithm::Rs512).unwrap();
    let mut keys = vec![
        encryption,
        json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0" }),
        json!({ "kty": "AKP", "kid": "later", "alg": "ML-DSA-65", "pub": "AAAA" }),
        named(&namesake, &es_kid),
    ];
    let good = [&rs, &es, &ed].into_iter().chain(&others);
    keys.extend(good.map(|key| key.public().to_value()));
    json!({
        "issuer": ISSUER, "audience": AUDIENCE, "typ": "at+jwt", "now_s": NOW_S, "leeway_s": 30,
        "algorithms": ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"],
        "jwks": { "keys": keys },
        "cases": cases,
    })
}
