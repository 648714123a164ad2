//! The JavaScript facade. Build it with
//! `cargo rustc -p policy-wasm --features js --crate-type cdylib --target wasm32-unknown-unknown`
//! and wasm-bindgen.
//!
//! ```js
//! const signed = new SignedBundle(bytes, JSON.stringify(jwk));
//! const ok = await crypto.subtle.verify(algorithm, key, signed.signature, signed.message);
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
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// A policy that answers.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Policy {
    engine: Engine,
    revision: String,
}

#[wasm_bindgen]
impl SignedBundle {
    /// Unpacks a bundle that `key` (a public JWK as JSON) is said to have signed.
    #[wasm_bindgen(constructor)]
    pub fn new(packed: &[u8], key: &str) -> Result<SignedBundle, JsError> {
        let bundle = Unverified::read(packed, &Limits::default()).map_err(JsError::from)?;
        let key = Jwk::parse(key).map_err(JsError::from)?;
        let job = bundle.signature_job(&key).map_err(JsError::from)?;
        let (message, signature) = (job.message.to_vec(), job.signature.to_vec());
        Ok(Self {
            bundle,
            message,
            signature,
        })
    }

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

    /// Turns the bundle into a policy. `signature_is_valid` is what WebCrypto answered.
    pub fn verified(
        self,
        signature_is_valid: bool,
        tenant: &str,
        now_s: f64,
        min_sequence: u64,
    ) -> Result<Policy, JsError> {
        if !signature_is_valid {
            return Err(JsError::new("the bundle's signature is not valid"));
        }
        let expect = Expect {
            tenant: tenant.parse().map_err(JsError::from)?,
            now: seconds(now_s)?,
            min_sequence,
        };
        let bundle = self.bundle.verified(&expect).map_err(JsError::from)?;
        Policy::of(&bundle)
    }
}

/// JavaScript counts in floats; a moment beyond 2^53 or before 0 is not one.
fn seconds(now_s: f64) -> Result<UnixSeconds, JsError> {
    format!("{now_s:.0}")
        .parse()
        .map(UnixSeconds)
        .map_err(JsError::from)
}

#[wasm_bindgen]
impl Policy {
    fn of(bundle: &Bundle) -> Result<Policy, JsError> {
        let engine = Engine::prepare(&bundle.manifest, &bundle.source).map_err(JsError::from)?;
        Ok(Self {
            engine,
            revision: bundle.manifest.revision.clone(),
        })
    }

    /// The bundle's revision.
    #[wasm_bindgen(getter)]
    pub fn revision(&self) -> String {
        self.revision.clone()
    }

    /// Asks the policy. Takes and gives JSON text: an evaluation request, a decision.
    pub fn evaluate(&self, request: &str) -> Result<String, JsError> {
        let request: EvaluationRequest = serde_json::from_str(request).map_err(JsError::from)?;
        let limits = engine::Limits::default();
        let evaluation = self.engine.evaluate(input_of(&request), &limits);
        serde_json::to_string(&evaluation.decision).map_err(JsError::from)
    }
}
