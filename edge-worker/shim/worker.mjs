// The Worker's entry: one gate, kept over all requests of the isolate.
import { env as variables } from "cloudflare:workers";
import wasmModule from "../build/edge_worker.wasm";
import { createGlue } from "../build/glue.mjs";
import { answerThrough } from "./answer.mjs";
import { Gate } from "./instance.mjs";

const gate = new Gate(wasmModule, createGlue);

// names wrong variables as soon as the Worker starts, not when the first request comes
gate.run("check", variables);

export default {
  fetch: (request, env, context) => answerThrough(gate, request, env, context),
};
