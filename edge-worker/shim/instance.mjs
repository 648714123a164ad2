// One running copy of the gate, and what happens when it breaks.
//
// A panic in Rust is a trap in WebAssembly: the memory behind it can no longer be trusted, and the
// requests that were waiting on it will never be woken. So the copy is discarded, every request
// that was in it is refused (never let through), and the next request gets a fresh copy.

/** What a request in a broken copy resolves to, in place of a Response. */
export const BROKEN = Symbol("broken");

/** Keeps one live copy of the gate and replaces it when it breaks. */
export class Gate {
  #wasmModule;
  #createGlue;
  #live;

  /**
   * @param {WebAssembly.Module} wasmModule compiled module
   * @param {() => object} createGlue makes the module's imports, with state of their own
   */
  constructor(wasmModule, createGlue) {
    this.#wasmModule = wasmModule;
    this.#createGlue = createGlue;
  }

  /**
   * Runs the exported function `name` in the live copy.
   * Resolves to its result, or to BROKEN when the copy broke meanwhile.
   */
  async run(name, ...parameters) {
    this.#live ??= this.#start();
    const live = this.#live;
    let release;
    const broken = new Promise((resolve) => {
      release = resolve;
    });
    live.waiting.add(release);
    try {
      return await Promise.race([live.glue[name](...parameters), broken]);
    } catch (error) {
      if (live.isBroken) return BROKEN;
      throw error;
    } finally {
      live.waiting.delete(release);
    }
  }

  #start() {
    const glue = this.#createGlue();
    const live = { glue, isBroken: false, waiting: new Set() };
    const instance = new WebAssembly.Instance(this.#wasmModule, { "./edge_worker_bg.js": glue });
    const guarded = {};
    for (const [name, exported] of Object.entries(instance.exports)) {
      guarded[name] =
        typeof exported === "function" ? this.#guard(live, exported) : exported;
    }
    glue.__wbg_set_wasm(guarded);
    guarded.__wbindgen_start();
    return live;
  }

  // Whatever escapes an export has unwound through Rust frames without running their destructors,
  // be it a trap, a stack overflow or an exception of JavaScript's.
  #guard(live, exported) {
    return (...parameters) => {
      // callbacks and finalizers of a discarded copy
      if (live.isBroken) return undefined;
      try {
        return exported(...parameters);
      } catch (error) {
        this.#discard(live, error);
        throw error;
      }
    };
  }

  #discard(live, error) {
    live.isBroken = true;
    if (this.#live === live) this.#live = undefined;
    console.error("the gate broke and is replaced", String(error?.stack ?? error));
    for (const release of live.waiting) release(BROKEN);
    live.waiting.clear();
  }
}
