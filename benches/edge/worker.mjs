// Measures in workerd: the gate from request to forwarded request, and beside it npm `jose`
// doing its part (checking the same tokens). POST the documents of `examples/documents`.
//
// The network is taken out: `fetch` answers from memory, so that what is measured is the edge.
import { createLocalJWKSet, jwtVerify } from "jose";
import wasmModule from "../../edge-worker/build/edge_worker.wasm";
import { createGlue } from "../../edge-worker/build/glue.mjs";
import { Gate } from "../../edge-worker/shim/instance.mjs";

const UPSTREAM = "http://app.internal";
const WARM_ROUNDS = 4;
const ROUNDS = 5;

function answerFromMemory(documents) {
  const bundle = Uint8Array.from(atob(documents.bundle), (character) => character.charCodeAt(0));
  const answers = {
    [`${documents.issuer}/.well-known/jwks.json`]: documents.token_keys,
    [`${documents.issuer}/edge/keys`]: documents.bundle_keys,
    [`${documents.issuer}/edge/bundle`]: bundle,
    [`${documents.issuer}/edge/revocations`]: documents.revocations,
  };
  globalThis.fetch = async (url) => {
    const text = String(url);
    if (text.startsWith(UPSTREAM)) return new Response("from the application");
    if (!(text in answers)) throw new Error(`nobody is at ${text}`);
    return new Response(answers[text]);
  };
}

const request = (token) =>
  new Request("https://edge.example.com/documents/7", {
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json",
      "user-agent": "bench",
      "accept-encoding": "gzip",
    },
  });

async function through(gate, token, environment, context) {
  const answer = await gate.run("fetch", request(token), environment, context);
  if (answer.status !== 200) throw new Error(`the edge answered ${answer.status}: ${await answer.text()}`);
}

/** Best of several rounds, in microseconds for one call. */
async function best(rounds, calls, run) {
  let least = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    for (let call = 0; call < calls; call += 1) await run(call);
    least = Math.min(least, ((performance.now() - began) * 1000) / calls);
  }
  return least;
}

async function measure(documents, context) {
  const environment = {
    ISSUER: documents.issuer,
    AUDIENCE: documents.audience,
    TENANT: documents.tenant,
    UPSTREAM,
    // no refresh in the middle of a measurement
    REVOCATION_MAX_AGE_MS: "60000",
    BUNDLE_REFRESH_MS: "60000",
  };
  const keys = createLocalJWKSet(JSON.parse(documents.token_keys));
  const results = {};
  for (const [algorithm, tokens] of Object.entries(documents.tokens)) {
    const fresh = new Gate(wasmModule, createGlue);
    let began = performance.now();
    await through(fresh, tokens[0], environment, context);
    const cold = (performance.now() - began) * 1000;
    const options = { issuer: documents.issuer, audience: documents.audience, typ: "at+jwt", algorithms: [algorithm] };
    began = performance.now();
    await jwtVerify(tokens[0], keys, options);
    const joseCold = (performance.now() - began) * 1000;

    // V8 compiles what runs often: nothing is measured before it has
    const known = () => through(fresh, tokens[0], environment, context);
    const jose = (call) => jwtVerify(tokens[call % tokens.length], keys, options);
    await best(WARM_ROUNDS, 500, known);
    await best(WARM_ROUNDS, 250, jose);
    const knownToken = await best(ROUNDS, 500, known);
    const joseWarm = await best(ROUNDS, tokens.length, jose);
    // every token is new to an edge once: a gate per round, warmed by one token of its own
    let newToken = Infinity;
    for (let round = 0; round < ROUNDS; round += 1) {
      const gate = new Gate(wasmModule, createGlue);
      await through(gate, tokens[0], environment, context);
      newToken = Math.min(
        newToken,
        await best(1, tokens.length - 1, (call) => through(gate, tokens[call + 1], environment, context)),
      );
    }
    results[algorithm] = { cold, newToken, knownToken, joseCold, joseWarm };
  }
  return results;
}

export default {
  async fetch(incoming, _environment, context) {
    if (incoming.method !== "POST") return new Response("ready");
    const documents = await incoming.json();
    answerFromMemory(documents);
    return Response.json(await measure(documents, context));
  },
};
