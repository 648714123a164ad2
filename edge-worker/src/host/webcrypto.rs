//! Signature checks in the platform's own cryptography, which is native code and many times
//! faster than the same in WebAssembly.

use std::cell::RefCell;

use plinto_jose::{Algorithm, Jwk, SignatureJob};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::js_sys::{Array, Object, Reflect};

/// 64: keys kept imported; a tenant has two or three of each kind at a time.
const IMPORTED_MAX: usize = 64;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    async fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        is_extractable: bool,
        usages: &JsValue,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = verify)]
    async fn verify_signature(
        algorithm: &JsValue,
        key: &JsValue,
        signature: &[u8],
        message: &[u8],
    ) -> Result<JsValue, JsValue>;
}

/// A key as the platform has it, with the parameters of its checks.
#[derive(Clone)]
struct Imported {
    key: JsValue,
    parameters: JsValue,
}

/// The keys imported so far. They belong to no request.
#[derive(Default)]
pub(super) struct ImportedKeys(Vec<(Jwk, Imported)>);

impl ImportedKeys {
    fn find(&self, jwk: &Jwk) -> Option<Imported> {
        let (_, imported) = self.0.iter().find(|(known, _)| known == jwk)?;
        Some(imported.clone())
    }

    fn keep(&mut self, jwk: Jwk, imported: Imported) {
        if self.0.len() >= IMPORTED_MAX {
            self.0.remove(0);
        }
        self.0.push((jwk, imported));
    }
}

/// Checks one signature. Anything that goes wrong means: not right.
pub(super) async fn verify(keys: &RefCell<ImportedKeys>, job: &SignatureJob<'_>) -> bool {
    let known = keys.borrow().find(job.key);
    let imported = match known {
        Some(imported) => imported,
        None => match import(job.key, job.alg).await {
            Ok(imported) => {
                keys.borrow_mut().keep(job.key.clone(), imported.clone());
                imported
            }
            Err(_) => return false,
        },
    };
    let answer = verify_signature(
        &imported.parameters,
        &imported.key,
        job.signature,
        job.message,
    )
    .await;
    // SECURITY: `true` and nothing that only looks like it
    matches!(answer, Ok(value) if value.as_bool() == Some(true))
}

async fn import(jwk: &Jwk, algorithm: Algorithm) -> Result<Imported, JsValue> {
    let (import_parameters, parameters) = parameters(algorithm)?;
    let usages = Array::of1(&JsValue::from_str("verify"));
    let key = import_key(
        "jwk",
        &public_members(jwk)?,
        &import_parameters,
        false,
        &usages,
    )
    .await?;
    Ok(Imported { key, parameters })
}

/// What `importKey` and `verify` want for an algorithm. Source: Web Cryptography API §20–§26.
fn parameters(algorithm: Algorithm) -> Result<(JsValue, JsValue), JsValue> {
    let text = JsValue::from_str;
    let rsa = |name: &str, hash: &str| object(&[("name", text(name)), ("hash", text(hash))]);
    let ecdsa = |curve: &str, hash: &str| {
        Ok((
            object(&[("name", text("ECDSA")), ("namedCurve", text(curve))])?,
            object(&[("name", text("ECDSA")), ("hash", text(hash))])?,
        ))
    };
    let same = |parameters: JsValue| (parameters.clone(), parameters);
    match algorithm {
        Algorithm::Rs256 => rsa("RSASSA-PKCS1-v1_5", "SHA-256").map(same),
        Algorithm::Rs384 => rsa("RSASSA-PKCS1-v1_5", "SHA-384").map(same),
        Algorithm::Rs512 => rsa("RSASSA-PKCS1-v1_5", "SHA-512").map(same),
        // the salt is as long as the hash. Source: RFC 7518 §3.5
        Algorithm::Ps256 => Ok((
            rsa("RSA-PSS", "SHA-256")?,
            object(&[("name", text("RSA-PSS")), ("saltLength", JsValue::from(32))])?,
        )),
        Algorithm::Es256 => ecdsa("P-256", "SHA-256"),
        Algorithm::Es384 => ecdsa("P-384", "SHA-384"),
        Algorithm::EdDsa => object(&[("name", text("Ed25519"))]).map(same),
    }
}

/// The key without `alg`, `use` and `kid`: platforms differ on what they accept there, and the
/// gate has checked them already.
fn public_members(jwk: &Jwk) -> Result<JsValue, JsValue> {
    let value = jwk.to_value();
    let members: Vec<_> = ["kty", "crv", "x", "y", "n", "e"]
        .into_iter()
        .filter_map(|name| Some((name, JsValue::from_str(value.get(name)?.as_str()?))))
        .collect();
    object(&members)
}

fn object(members: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &JsValue::from_str(name), value)?;
    }
    Ok(object.into())
}
