// Stateless upload-pack over a stored repository, without HTTP around it.
import { describe, expect, test } from "vitest";
import { gitVersion } from "../../src/git/git-version.ts";
import { openUploadPack } from "../../src/repositories/open-upload-pack.ts";
import { createTestDatabase } from "../support/database.ts";
import { addRepository, openTestStore, publishSmallCommit } from "../support/git-store.ts";

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString("latin1");
}

async function openWorld() {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await createTestDatabase());
  const { store } = stack.use(await openTestStore(database));
  const repository = await addRepository(database);
  const oid = await publishSmallCommit(store, repository, { text: "hello", expected: null });
  const owned = stack.move();
  return { uploadPack: openUploadPack(store), repository, oid, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const signal = AbortSignal.timeout(30_000);

describe("the advertisement", () => {
  test.each([
    ["version=2", "version 2"],
    ["version=1", "version 1"],
    [null, "refs/heads/main"],
    ["version=2;rm -rf", "refs/heads/main"],
    ["version=9", "refs/heads/main"],
  ])("for the protocol %j holds %j", async (protocol, expected) => {
    await using world = await openWorld();
    const answer = await collect(world.uploadPack.advertise({ repository: world.repository, protocol, signal }));
    expect(answer).toContain(expected);
    expect(answer.includes("version 2")).toBe(protocol === "version=2");
  });
});

describe("a request", () => {
  async function* lines(...text: (string | null)[]) {
    for (const line of text)
      yield Buffer.from(line === null ? "0000" : `${(line.length + 4).toString(16).padStart(4, "0")}${line}`);
  }

  test("is answered with a pack", async () => {
    await using world = await openWorld();
    async function* body() {
      yield* lines("command=fetch");
      yield Buffer.from("0001");
      yield* lines("no-progress", `want ${world.oid}\n`, "done\n", null);
    }
    const answer = await collect(world.uploadPack.serve({ repository: world.repository, protocol: "version=2", signal }, body()));
    expect(answer).toContain("packfile");
    expect(answer).toContain("PACK");
  });

  test("for an object that is not there is refused in git's own words, whole", async () => {
    await using world = await openWorld();
    async function* body() {
      yield* lines("command=fetch");
      yield Buffer.from("0001");
      yield* lines(`want ${"1".repeat(40)}\n`, "done\n", null);
    }
    const answer = await collect(world.uploadPack.serve({ repository: world.repository, protocol: "version=2", signal }, body()));
    expect(answer).toContain("ERR upload-pack: not our ref");
  });

  test("of a client that falls silent ends when its signal does", async () => {
    await using world = await openWorld();
    const abort = new AbortController();
    async function* body() {
      yield Buffer.from("00");
      abort.abort(new RangeError("client gone"));
      await new Promise(() => undefined);
    }
    const request = { repository: world.repository, protocol: "version=2", signal: abort.signal };
    await expect(collect(world.uploadPack.serve(request, body()))).rejects.toThrow("client gone");
  });
});

test("the git on this machine is new enough", async () => {
  expect(await gitVersion()).toMatch(/^2\.\d+/);
});
