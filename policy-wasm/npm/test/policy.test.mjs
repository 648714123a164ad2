// The package as an application uses it: contract/vectors/bundle.json, signatures by WebCrypto.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { SignedBundle } from "@plinto/policy";

const { webcrypto } = await import("node:crypto");
const vectors = JSON.parse(await readFile(new URL("../../../contract/vectors/bundle.json", import.meta.url), "utf8"));
const ALGORITHMS = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
};
const named = (name) => vectors.cases.find((one) => one.name === name);
const bytes = (one) => Buffer.from(one.archive, "hex");

/** The whole way of a reader: key by id, signature, then everything the signature vouches for. */
async function open({ archive, now_s, min_sequence }) {
  const signed = new SignedBundle(Buffer.from(archive, "hex"));
  const jwk = vectors.keys.keys.find((key) => key.kid === signed.kid);
  if (jwk === undefined) throw new Error("no key for this bundle");
  const check = signed.signatureFor(JSON.stringify(jwk));
  const algorithm = ALGORITHMS[signed.alg];
  const { kty, crv, x, y } = jwk;
  const key = await webcrypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]);
  const ok = await webcrypto.subtle.verify(algorithm, key, check.signature, check.message);
  return signed.verified(ok, vectors.tenant, now_s, BigInt(min_sequence));
}

for (const one of vectors.cases) {
  test(`${one.name}: ${one.answer}`, async () => {
    if (one.answer !== "accepted") {
      await assert.rejects(open(one));
      return;
    }
    const policy = await open(one);
    assert.equal(policy.sequence, 7n);
    // Z8: in wasm an evaluation also ends by the memory it takes.
    for (const { request, decision } of [...one.decisions, ...one.decisions_in_wasm]) {
      assert.deepEqual(JSON.parse(policy.evaluate(JSON.stringify(request))), decision);
    }
  });
}

test("a signature that does not verify gives no policy", () => {
  const one = named("ES256");
  const signed = new SignedBundle(bytes(one));
  const jwk = vectors.keys.keys.find((key) => key.kid === signed.kid);
  signed.signatureFor(JSON.stringify(jwk));
  assert.throws(() => signed.verified(false, vectors.tenant, one.now_s, 1n), /signature is not valid/);
});

test("a signature that was never asked for gives no policy", () => {
  const one = named("ES256");
  const signed = new SignedBundle(bytes(one));
  assert.throws(() => signed.verified(true, vectors.tenant, one.now_s, 1n), /signature is not valid/);
});

test("a key for another algorithm is refused", () => {
  const signed = new SignedBundle(bytes(named("ES256")));
  const jwk = vectors.keys.keys.find((key) => key.kid !== signed.kid);
  assert.throws(() => signed.signatureFor(JSON.stringify(jwk)));
});

test("a value that nests too deep gets an answer and breaks nothing", async () => {
  const policy = await open(named("ES256"));
  const { request, decision } = named("ES256").decisions[0];
  const nested = (depth) => JSON.parse("[".repeat(depth) + "]".repeat(depth));
  const ask = (depth) => {
    const properties = { ...request.subject.properties, nested: nested(depth) };
    return policy.evaluate(JSON.stringify({ ...request, subject: { ...request.subject, properties } }));
  };
  // the subject, its properties and the whole are three levels more
  assert.deepEqual(JSON.parse(ask(61)), decision);
  assert.deepEqual(JSON.parse(ask(62)).reasons, ["input_too_large"]);
  assert.throws(() => ask(3000), /recursion limit/);
  assert.deepEqual(JSON.parse(policy.evaluate(JSON.stringify(request))), decision);
});

test("a request that is no evaluation request is refused", async () => {
  const policy = await open(named("ES256"));
  for (const request of ["", "[]", "{}", '[["user","u",{}],["read"],["document","42",{}],{}]']) {
    assert.throws(() => policy.evaluate(request), request);
  }
});
