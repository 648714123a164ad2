// Loads the module in Node, which can't import WebAssembly yet; bundlers take dist/plinto_policy.js.
import { readFile } from "node:fs/promises";
import * as glue from "./dist/plinto_policy_bg.js";

const code = await readFile(new URL("./dist/plinto_policy_bg.wasm", import.meta.url));
const { instance } = await WebAssembly.instantiate(code, { "./plinto_policy_bg.js": glue });
glue.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start?.();

export { Policy, Signature, SignedBundle } from "./dist/plinto_policy_bg.js";
