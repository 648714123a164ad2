// The Worker's entry: hands every request to the gate and refuses it when the gate breaks.
import { env as variables } from "cloudflare:workers";
import wasmModule from "../build/edge_worker.wasm";
import { createGlue } from "../build/glue.mjs";
import { BROKEN, Gate } from "./instance.mjs";

const gate = new Gate(wasmModule, createGlue);

// names wrong variables as soon as the Worker starts, not when the first request comes
gate.run("check", variables);

function refusal(request) {
  const requestId = crypto.randomUUID();
  const problem = {
    type: "https://docs.plinto.dev/errors/unavailable",
    title: "A part this answer needs is not reachable",
    status: 503,
    code: "unavailable",
    detail: "the gate broke while it handled this request and has been replaced",
    instance: new URL(request.url).pathname,
    request_id: requestId,
    retryable: true,
  };
  return new Response(JSON.stringify(problem), {
    status: 503,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "retry-after": "1",
      "x-request-id": requestId,
    },
  });
}

export default {
  async fetch(request, env, context) {
    const answer = await gate.run("fetch", request, env, context);
    return answer === BROKEN ? refusal(request) : answer;
  },
};
