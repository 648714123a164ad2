// Measures in workerd, in rounds side by side: the gate, from the request that comes in to the answer
// of the application that goes out; the same by hand without any decision; and that with npm `jose`
// checking the token. POST the documents of `examples/documents`, one algorithm a process.
//
// The network is taken out: `fetch` answers from memory, so that what is measured is the edge.
import { createLocalJWKSet, jwtVerify } from "jose";
import wasmModule from "../../edge-worker/build/edge_worker.wasm";
import { createGlue } from "../../edge-worker/build/glue.mjs";
import { answerThrough } from "../../edge-worker/shim/answer.mjs";
import { Gate } from "../../edge-worker/shim/instance.mjs";

const UPSTREAM = "http://app.internal";
const ROUNDS = 6;
const CALLS = 250;
const WARM_CALLS = 3_000;

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
    // as from a server, which says how long its answer is
    if (text.startsWith(UPSTREAM)) return new Response("from the application", { headers: { "content-length": "20" } });
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

/** What any gate does around its decision: strip identity headers, set its own, forward, answer. */
async function forwardByHand(incoming, subject) {
  const headers = new Headers(incoming.headers);
  for (const name of headers.keys()) if (name.startsWith("x-plinto-")) headers.delete(name);
  headers.set("x-plinto-subject", subject);
  headers.set("x-request-id", crypto.randomUUID());
  const response = await fetch(UPSTREAM + new URL(incoming.url).pathname, { method: incoming.method, headers, body: incoming.body, redirect: "manual" });
  const answer = new Response(response.body, response);
  answer.headers.set("x-request-id", headers.get("x-request-id"));
  return answer;
}

async function insist(answer) {
  if (answer.status !== 200) throw new Error(`the edge answered ${answer.status}: ${await answer.text()}`);
}

/** Microseconds for one of many calls. */
async function timed(run) {
  const began = performance.now();
  for (let call = 0; call < CALLS; call += 1) await run(call);
  return ((performance.now() - began) * 1000) / CALLS;
}

async function once(run) {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

async function measure(documents, algorithm, context) {
  const environment = {
    ISSUER: documents.issuer,
    AUDIENCE: documents.audience,
    TENANT: documents.tenant,
    UPSTREAM,
    // no refresh in the middle of a measurement
    REVOCATION_MAX_AGE_MS: "60000",
    BUNDLE_REFRESH_MS: "60000",
  };
  const tokens = documents.tokens[algorithm];
  if (tokens.length < (ROUNDS + 2) * CALLS) throw new Error(`${tokens.length} tokens are too few`);
  const keys = createLocalJWKSet(JSON.parse(documents.token_keys));
  const options = { issuer: documents.issuer, audience: documents.audience, typ: "at+jwt", algorithms: [algorithm] };
  const gate = new Gate(wasmModule, createGlue);
  const edge = async (token) => insist(await answerThrough(gate, request(token), environment, context));
  const byHand = async (token, subject = "user") => insist(await forwardByHand(request(token), subject));
  const jose = async (token) => {
    const incoming = request(token);
    const presented = incoming.headers.get("authorization").slice("Bearer ".length);
    const { payload } = await jwtVerify(presented, keys, options);
    await insist(await forwardByHand(incoming, payload.sub));
  };

  const coldMs = { edge: await once(() => edge(tokens[0])), jose: await once(() => jose(tokens[0])) };
  // V8 compiles what runs often: a first round and more known tokens are not counted
  for (let call = 0; call < WARM_CALLS; call += 1) await edge(tokens[0]);
  const rounds = [];
  for (let round = 0; round < ROUNDS + 1; round += 1) {
    const fresh = (call) => tokens[1 + round * CALLS + call];
    rounds.push({
      byHand: await timed((call) => byHand(fresh(call))),
      joseNew: await timed((call) => jose(fresh(call))),
      edgeNew: await timed((call) => edge(fresh(call))),
      edgeKnown: await timed(() => edge(tokens[0])),
    });
  }
  const counted = rounds.slice(1);
  const best = (name) => Math.min(...counted.map((round) => round[name]));
  return { coldMs, byHand: best("byHand"), joseNew: best("joseNew"), edgeNew: best("edgeNew"), edgeKnown: best("edgeKnown") };
}

export default {
  async fetch(incoming, _environment, context) {
    if (incoming.method !== "POST") return new Response("ready");
    const documents = await incoming.json();
    answerFromMemory(documents);
    const [algorithm] = Object.keys(documents.tokens);
    return Response.json(await measure(documents, algorithm, context));
  },
};
