// Pushes that are small on the way and large when unpacked: each ends with a sentence in git's protocol, nothing is written,
// and the server is there for the next.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { deltaBomb, zlibBomb } from "../support/pack-bombs.ts";
import { openPushTarget, type PushTarget, pushCommands } from "../support/push-world.ts";
import { runningGit } from "../support/running-git.ts";

const NEW = "refs/heads/new";

let http: HttpWorld;
let target: PushTarget;

beforeAll(async () => {
  http = await openHttpWorld({ storeLimits: { maxInflatedBytes: 32 * 1024 * 1024, gitCpuSeconds: 3 } });
  target = await openPushTarget(http, "bombs");
});
afterAll(async () => {
  await target[Symbol.asyncDispose]();
  await http[Symbol.asyncDispose]();
});

test.each([
  ["by zlib, to more than the limit", zlibBomb, /^....unpack The pack unpacks to \d+ bytes; at most \d+ are taken\.\n/],
  ["by one delta, to more than the limit", () => deltaBomb(1, 4), /^....unpack The pack unpacks to \d+ bytes; at most \d+ are/],
  ["by many deltas, for longer than the limit", () => deltaBomb(60, 40), /^....unpack The pack takes too long to unpack\.\n/],
])("a pack that unfolds %s is refused", async (_, makeBomb, reason) => {
  const { pack, blob } = makeBomb();
  expect(pack.length).toBeLessThan(100_000);
  const answer = await target.post(Buffer.concat([pushCommands([{ ref: NEW, new: blob }]), pack]));
  const report = await answer.text();
  expect([answer.status, report]).toEqual([200, expect.stringMatching(reason)]);
  expect(report).toContain(`ng ${NEW} unpacker error\n`);
  expect([await target.refs(), await runningGit(process.pid)]).toEqual([{}, []]);
});
