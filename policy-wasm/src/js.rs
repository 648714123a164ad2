//! The JavaScript facade. `scripts/policy-js.sh` builds it into the npm package in
//! `policy-wasm/npm`; its types are written from here.
//!
//! ```js
//! const signed = new SignedBundle(bytes);
//! const check = signed.signatureFor(JSON.stringify(keyOf(signed.kid)));
//! const ok = await crypto.subtle.verify(algorithm, key, check.signature, check.message);
//! const policy = signed.verified(ok, tenant, Math.floor(Date.now() / 1000), 0n);
//! const { allow, reasons } = JSON.parse(policy.evaluate(JSON.stringify(request)));
//! ```

use plinto_contract::{policy::EvaluationRequest, time::UnixSeconds};
use plinto_jose::Jwk;
use wasm_bindgen::prelude::*;

use crate::{
    bundle::{Bundle, Expect, Limits, Unverified},
    engine::{self, Engine, input_of},
};

/// A signed bundle whose signature the caller is about to check.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SignedBundle {
    bundle: Unverified,
    has_key: bool,
}

/// One signature to check, with the key it was asked for.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Signature {
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// A policy that answers.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Policy {
    engine: Engine,
    revision: String,
    sequence: u64,
}

#[wasm_bindgen]
impl SignedBundle {
    /// Unpacks a bundle. Nothing of it can be used before its signature was checked.
    #[wasm_bindgen(constructor)]
    pub fn new(packed: &[u8]) -> Result<SignedBundle, JsError> {
        Ok(Self {
            bundle: Unverified::read(packed, &Limits::activated())?,
            has_key: false,
        })
    }

    /// The id of the key that is said to have signed, to look it up by.
    #[wasm_bindgen(getter)]
    pub fn kid(&self) -> Option<String> {
        self.bundle.kid().map(str::to_owned)
    }

    /// The algorithm it is said to be signed with: `ES256`, `EdDSA`, …
    #[wasm_bindgen(getter)]
    pub fn alg(&self) -> String {
        self.bundle.alg().as_str().to_owned()
    }

    /// What to check with `key`, a public JWK as JSON. Refuses a key that is not for `alg`.
    #[wasm_bindgen(js_name = signatureFor)]
    pub fn signature_for(&mut self, key: &str) -> Result<Signature, JsError> {
        let key = Jwk::parse(key)?;
        let job = self.bundle.signature_job(&key)?;
        let signature = Signature {
            message: job.message.to_vec(),
            signature: job.signature.to_vec(),
        };
        self.has_key = true;
        Ok(signature)
    }

    /// Turns the bundle into a policy. `signature_is_valid` is what WebCrypto answered;
    /// `now_s` are Unix seconds; a bundle below `min_sequence` is an old one, replayed.
    pub fn verified(
        self,
        signature_is_valid: bool,
        tenant: &str,
        now_s: f64,
        min_sequence: u64,
    ) -> Result<Policy, JsError> {
        if !(signature_is_valid && self.has_key) {
            return Err(JsError::new("the bundle's signature is not valid"));
        }
        let expect = Expect {
            tenant: tenant.parse()?,
            now: seconds(now_s)?,
            min_sequence,
        };
        Policy::of(&self.bundle.verified(&expect)?)
    }
}

#[wasm_bindgen]
impl Signature {
    /// What was signed.
    #[wasm_bindgen(getter)]
    pub fn message(&self) -> Vec<u8> {
        self.message.clone()
    }

    /// The signature over it, as WebCrypto takes it.
    #[wasm_bindgen(getter)]
    pub fn signature(&self) -> Vec<u8> {
        self.signature.clone()
    }
}

/// JavaScript counts in floats; what is no whole number from 0 on is not a moment.
fn seconds(now_s: f64) -> Result<UnixSeconds, JsError> {
    let seconds: u64 = format!("{now_s}").parse()?;
    Ok(UnixSeconds(i64::try_from(seconds)?))
}

#[wasm_bindgen]
impl Policy {
    fn of(bundle: &Bundle) -> Result<Policy, JsError> {
        Ok(Self {
            engine: Engine::prepare(&bundle.manifest, &bundle.source)?,
            revision: bundle.manifest.revision.clone(),
            sequence: bundle.activation.sequence,
        })
    }

    /// The bundle's revision.
    #[wasm_bindgen(getter)]
    pub fn revision(&self) -> String {
        self.revision.clone()
    }

    /// Its sequence: the lowest that a later bundle may have.
    #[wasm_bindgen(getter)]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Asks the policy. Takes and gives JSON text: an evaluation request, a decision.
    pub fn evaluate(&self, request: &str) -> Result<String, JsError> {
        let request: EvaluationRequest = serde_json::from_str(request)?;
        let limits = engine::Limits::default();
        let evaluation = self.engine.evaluate(input_of(&request), &limits);
        Ok(serde_json::to_string(&evaluation.decision)?)
    }
}
