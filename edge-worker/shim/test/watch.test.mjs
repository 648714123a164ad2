// What ends a request that was let through, and what doesn't. What can be seen from outside is tested in workerd.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Watch } from "../watch.mjs";

/** How a watch ends that asks every 5 ms; the application has 1 s. */
async function endOf(stands) {
  const watch = new Watch(1000, 5, stands);
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
  for (const stands of failing) {
    const ended = await endOf(stands);
    assert.deepEqual([ended.closeCode, ended.code], [1013, "unavailable"]);
  }
});

test("who has stopped watching ends nothing", async () => {
  const watch = new Watch(1, 1, () => "ended\n4001\ntoken_revoked");
  watch.ofApplication();
  watch.stop();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(watch.signal.aborted, false);
});
