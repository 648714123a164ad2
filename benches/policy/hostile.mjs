// Runs hostile policies in workerd, each in a fresh instance of @plinto/policy. POST what
// `plinto-policy-hostile files` writes.
import { now } from "./clock.mjs";
import { engine, opened } from "./engine.mjs";

async function measured(documents, one, request) {
  const fresh = engine();
  let began = await now();
  let policy;
  try {
    policy = await opened(fresh, documents, one);
  } catch (error) {
    // a trap leaves an instance that can't be trusted; everything else is an answer
    if (error instanceof WebAssembly.RuntimeError) return { name: one.name, outcome: `trap: ${error.message}`, prepareMs: 0, ms: Infinity, bytes: 0 };
    return { name: one.name, outcome: "not prepared", prepareMs: (await now()) - began, ms: 0, bytes: 0 };
  }
  const prepareMs = (await now()) - began;
  const before = fresh.memory.buffer.byteLength;
  let ms = Infinity;
  let outcome;
  try {
    for (let round = 0; round < 2; round += 1) {
      began = await now();
      const { allow, reasons } = JSON.parse(policy.evaluate(request));
      ms = Math.min(ms, (await now()) - began);
      outcome = allow ? "allowed" : reasons[0];
    }
  } catch (error) {
    return { name: one.name, outcome: `trap: ${error.message}`, prepareMs, ms: Infinity, bytes: 0 };
  }
  // what the collector frees later, it would free in another instance
  policy.free();
  return { name: one.name, outcome, prepareMs, ms, bytes: fresh.memory.buffer.byteLength - before };
}

export default {
  async fetch(incoming) {
    if (incoming.method !== "POST") return new Response("ready");
    const documents = await incoming.json();
    const request = JSON.stringify(documents.request);
    const rows = [];
    // the first one pays for what V8 compiles
    for (const one of [documents.cases[0], ...documents.cases]) rows.push(await measured(documents, one, request));
    return Response.json(rows.slice(1));
  },
};
