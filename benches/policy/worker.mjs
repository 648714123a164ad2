// Measures engines in one workerd, in rounds side by side, from the request as an object to the decision
// as an object. POST what `plinto-policy-bench files` writes as documents.json.
import cedarModule from "./node_modules/@cedar-policy/cedar-wasm/esm/cedar_wasm_bg.wasm";
import * as cedarGlue from "./node_modules/@cedar-policy/cedar-wasm/esm/cedar_wasm_bg.js";
import opa from "@open-policy-agent/opa-wasm";
import lookUpModule from "./build/look-up/policy.wasm";
import scanModule from "./build/scan/policy.wasm";
import conditionsModule from "./build/conditions/policy.wasm";
import { engine, opened } from "./engine.mjs";
import { now } from "./clock.mjs";

const OPA_MODULES = { "look-up": lookUpModule, scan: scanModule, conditions: conditionsModule };
const ROUNDS = 7;
/** Milliseconds of one round: long enough for the clock, which ticks when something is awaited. */
const ROUND_MS = 60;
const WARM_CALLS = 3_000;

let loaded;
async function ours(documents, policy) {
  const began = await now();
  loaded ??= engine();
  const prepared = await opened(loaded, documents, policy);
  const ask = (request) => JSON.parse(prepared.evaluate(JSON.stringify(request)));
  ask(policy.request);
  return { ask: () => ask(policy.request).allow, coldMs: (await now()) - began };
}

async function byOpa(policy) {
  const began = await now();
  const loaded = await opa.loadPolicy(OPA_MODULES[policy.name]);
  loaded.setData(policy.data);
  const ask = () => loaded.evaluate(policy.request)[0].result.allow;
  ask();
  return { ask, coldMs: (await now()) - began };
}

let cedar;
async function byCedar(policy) {
  const began = await now();
  if (cedar === undefined) {
    cedar = new WebAssembly.Instance(cedarModule, { "./cedar_wasm_bg.js": cedarGlue }).exports;
    cedarGlue.__wbg_set_wasm(cedar);
    cedar.__wbindgen_start?.();
  }
  const parsed = cedarGlue.preparsePolicySet(policy.name, { staticPolicies: policy.cedar.policies });
  if (parsed.type !== "success") throw new Error(JSON.stringify(parsed));
  const call = { ...policy.cedar.call, preparsedPolicySetId: policy.name };
  const ask = () => {
    const answer = cedarGlue.statefulIsAuthorized(call);
    if (answer.type !== "success") throw new Error(JSON.stringify(answer));
    return answer.response.decision === "allow";
  };
  ask();
  return { ask, coldMs: (await now()) - began };
}

/** Microseconds for one of many calls. */
async function timed(ask, calls) {
  const began = await now();
  for (let call = 0; call < calls; call += 1) ask();
  return (((await now()) - began) * 1000) / calls;
}

async function measure(documents) {
  const rows = [];
  for (const policy of documents.policies) {
    const engines = { plinto: await ours(documents, policy), opaWasm: await byOpa(policy), cedarWasm: await byCedar(policy) };
    const best = {};
    const calls = {};
    for (const [name, { ask }] of Object.entries(engines)) {
      if (ask() !== true) throw new Error(`${name} refuses ${policy.name}`);
      calls[name] = Math.ceil((ROUND_MS * 1000) / (await timed(ask, WARM_CALLS)));
      best[name] = Infinity;
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, { ask }] of Object.entries(engines)) best[name] = Math.min(best[name], await timed(ask, calls[name]));
    }
    const coldMs = Object.fromEntries(Object.entries(engines).map(([name, { coldMs }]) => [name, coldMs]));
    rows.push({ name: policy.name, what: policy.what, ...best, coldMs });
  }
  return rows;
}

export default {
  async fetch(incoming) {
    if (incoming.method !== "POST") return new Response("ready");
    return Response.json(await measure(await incoming.json()));
  },
};
