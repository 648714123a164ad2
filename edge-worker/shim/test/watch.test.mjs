// What ends a request that was let through, and what doesn't. What can be seen from outside is tested in workerd.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Watch } from "../watch.mjs";

/** How a watch ends that asks every 5 ms; the application has 1 s. */
async function endOf(recheck) {
  const watch = new Watch(1000, 5, recheck);
  watch.answered();
  await new Promise((resolve) => watch.signal.addEventListener("abort", resolve));
  return watch.signal.reason;
}

test("a request goes on while its token stands, and ends with it", async () => {
  let asked = 0;
  const ended = await endOf(() => ((asked += 1) < 5 ? "" : "ended\n4001\ntoken_revoked\n401\n0"));
  assert.equal(asked, 5);
  assert.deepEqual([ended.closeCode, ended.code, ended.answer], [4001, "token_revoked", "401\n0"]);
});

test("a token that can't be asked about ends its request", async () => {
  const failing = [
    () => {
      throw new Error("broken");
    },
    async () => {
      throw new Error("broken");
    },
  ];
  for (const recheck of failing) {
    const ended = await endOf(recheck);
    assert.deepEqual([ended.closeCode, ended.code], [1013, "unavailable"]);
  }
});

test("a token is asked about while pieces of an upload change turns faster than that", async () => {
  let asked = 0;
  const watch = new Watch(1000, 10, () => ((asked += 1) < 3 ? "" : "ended\n4001\ntoken_revoked"));
  const began = Date.now();
  while (!watch.signal.aborted && Date.now() - began < 2000) {
    watch.ofApplication();
    await new Promise((resolve) => setTimeout(resolve, 1));
    watch.ofClient();
  }
  assert.deepEqual([watch.signal.aborted, asked], [true, 3]);
});

test("a token that is being asked about is not asked about twice, and holds up no deadline", async () => {
  let asked = 0;
  const never = () => new Promise(() => (asked += 1));
  const watch = new Watch(50, 5, never);
  watch.ofApplication();
  await new Promise((resolve) => watch.signal.addEventListener("abort", resolve));
  assert.deepEqual([watch.signal.reason.code, asked], [undefined, 1]);
});

test("an application's time begins anew with each piece that it takes", async () => {
  const watch = new Watch(50, 0, () => "");
  for (let piece = 0; piece < 10; piece += 1) {
    watch.ofApplication();
    await new Promise((resolve) => setTimeout(resolve, 10));
    watch.ofClient();
  }
  assert.equal(watch.signal.aborted, false);
  watch.ofApplication();
  const began = Date.now();
  await new Promise((resolve) => watch.signal.addEventListener("abort", resolve));
  assert.ok(Date.now() - began >= 40);
});

test("who has stopped watching ends nothing", async () => {
  const watch = new Watch(1, 1, () => "ended\n4001\ntoken_revoked");
  watch.ofApplication();
  watch.stop();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(watch.signal.aborted, false);
});
