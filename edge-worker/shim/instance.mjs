// One running copy of the gate, and what happens when it breaks.
//
// A panic in Rust is a trap in WebAssembly: the memory behind it can no longer be trusted, and the
// requests that were waiting on it will never be woken. So the copy is discarded, every request
// that was in it is refused (never let through), and the next request gets a fresh copy.

/** What a call into a broken copy comes to, in place of its result. */
export const BROKEN = Symbol("broken");

/** 1024: waiters before those are looked for whose request is gone. */
const SWEEP_AT = 1024;

/** A copy of the gate, and who waits on it. */
class Live {
  isBroken = false;
  waiting = new Set();
  #sweepAt = SWEEP_AT;

  constructor(glue) {
    this.glue = glue;
  }

  // A request whose client hung up is never heard of again, not even by its own `finally`; a weak
  // reference lets it go all the same.
  wait(release) {
    if (this.waiting.size >= this.#sweepAt) {
      for (const waiter of this.waiting) if (!waiter.deref()) this.waiting.delete(waiter);
      this.#sweepAt = Math.max(SWEEP_AT, 2 * this.waiting.size);
    }
    const waiter = new WeakRef(release);
    this.waiting.add(waiter);
    return waiter;
  }
}

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
   * Returns its result, or a promise where that is one; BROKEN in place of either when the copy
   * broke.
   */
  run(name, ...parameters) {
    this.#live ??= this.#start();
    const live = this.#live;
    let result;
    try {
      result = live.glue[name](...parameters);
    } catch (error) {
      if (live.isBroken) return BROKEN;
      throw error;
    }
    return result instanceof Promise ? this.#untilBroken(live, result) : result;
  }

  async #untilBroken(live, result) {
    let release;
    const broken = new Promise((resolve) => {
      release = resolve;
    });
    const waiter = live.wait(release);
    try {
      return await Promise.race([result, broken]);
    } catch (error) {
      if (live.isBroken) return BROKEN;
      throw error;
    } finally {
      live.waiting.delete(waiter);
    }
  }

  #start() {
    const glue = this.#createGlue();
    const live = new Live(glue);
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
    for (const waiter of live.waiting) waiter.deref()?.(BROKEN);
    live.waiting.clear();
  }
}
