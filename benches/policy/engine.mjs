// @plinto/policy as a Worker loads it, and bundles opened as an application opens them.
import module from "../../policy-wasm/npm/dist/plinto_policy_bg.wasm";
import * as glue from "../../policy-wasm/npm/dist/plinto_policy_bg.js";

let last;

/** A fresh instance. The glue knows one at a time: use the last one only. */
export function engine() {
  // Growing by nothing detaches the buffer, so that the glue forgets what it knows of that memory.
  last?.grow(0);
  const { exports } = new WebAssembly.Instance(module, { "./plinto_policy_bg.js": glue });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start?.();
  last = exports.memory;
  return { memory: exports.memory, SignedBundle: glue.SignedBundle };
}

/** Signature and all. */
export async function opened({ SignedBundle }, { keys, tenant, nowS }, { bundle }) {
  const signed = new SignedBundle(Uint8Array.from(atob(bundle), (character) => character.charCodeAt(0)));
  const jwk = keys.keys.find((key) => key.kid === signed.kid);
  const check = signed.signatureFor(JSON.stringify(jwk));
  const { kty, crv, x, y } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, { name: "ECDSA", namedCurve: crv }, false, ["verify"]);
  const isValid = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, check.signature, check.message);
  check.free();
  return signed.verified(isValid, tenant, nowS, 1n);
}
