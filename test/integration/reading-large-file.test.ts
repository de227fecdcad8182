// A file too large for memory, read raw: whole, in part, by clients that stop, and from a damaged disk.
import { createHash, randomBytes } from "node:crypto";
import { chmod, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gitBytes } from "../support/git.ts";
import { addRepository } from "../support/git-store.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { pushSource } from "../support/push-source.ts";
import { bytesWritten, findGit } from "../support/running-git.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { until } from "../support/until.ts";

const LARGE = randomBytes(30 * 1024 * 1024);

let http: HttpWorld;
let source: SourceRepository;

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({ "large.bin": LARGE });
  http = await openHttpWorld();
  await pushSource(http.world.store, await addRepository(http.world.database, "copy"), source);
}, 120_000);

afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

const read = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${http.url}/v1/repos/copy/${path}`, { headers: { "x-api-key": MASTER_KEY, ...headers } });

describe("a large file", () => {
  const streaming = () => findGit(process.pid, /cat-file blob/);

  test("is streamed whole", async () => {
    const answer = await read("raw?path=large.bin");
    const hash = createHash("sha256");
    for await (const chunk of answer.body ?? []) hash.update(chunk);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(LARGE).digest("hex"));
  });

  test.each([
    ["bytes=20000000-20000099", 20_000_000, 20_000_100],
    ["bytes=-5", LARGE.length - 5, LARGE.length],
    ["bytes=0-0", 0, 1],
  ])("gives %s", async (range, start, end) => {
    const answer = await read("raw?path=large.bin", { range });
    expect(answer.status).toBe(206);
    expect(Buffer.from(await answer.arrayBuffer()).equals(LARGE.subarray(start, end))).toBe(true);
    await until("the process behind a range has ended", async () => (await streaming()).length === 0);
  });

  test("waits for a client that stops reading, and its process ends when the client goes away", async () => {
    const abort = new AbortController();
    const answer = await fetch(`${http.url}/v1/repos/copy/raw?path=large.bin`, {
      headers: { "x-api-key": MASTER_KEY },
      signal: abort.signal,
    });
    expect((await answer.body?.getReader().read())?.value?.length).toBeGreaterThan(0);
    const [git] = await streaming();
    const written = await settled(() => bytesWritten(git?.pid ?? 0));
    // What has left git lies in the kernel's buffers of a pipe and two sockets, a few MB at most; here, next to nothing.
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan((LARGE.length * 2) / 3);
    abort.abort();
    await until("the process has ended", async () => (await streaming()).length === 0);
  });

  test.each([
    ["in the middle breaks off", 15 * 1024 * 1024, 200],
    // Behind the four bytes of type and size.
    ["at the beginning is an error", 4, 500],
  ])("that is damaged on the disk %s, and is never taken for whole", async (_, offset, status) => {
    const view = await http.world.store.view(await http.world.repository());
    const packs = join(view, "objects", "pack");
    const [name = ""] = (await readdir(packs)).filter((file) => file.endsWith(".idx"));
    const listed = await gitBytes(["verify-pack", "-v", join(packs, name)]);
    const blob = await source.git("rev-parse", "main:large.bin");
    const [, start = ""] = new RegExp(`^${blob} blob +\\d+ \\d+ (\\d+)`, "m").exec(listed.toString()) ?? [];
    const path = join(packs, name.replace(/idx$/, "pack"));
    // git leaves packs read-only, which stops everybody but root.
    await chmod(path, 0o600);
    const pack = await open(path, "r+");
    await pack.write(Buffer.alloc(4_096, 0xa5), 0, 4_096, Number(start) + offset);
    await pack.close();
    const answer = await read("raw?path=large.bin");
    if (answer.status === 200) await expect(answer.arrayBuffer()).rejects.toThrow();
    else expect([answer.status, await answer.json()]).toMatchObject([500, { code: "INTERNAL" }]);
    expect(answer.status).toBe(status);
    // The cache is disposable: what is gone from it is fetched again.
    await rm(view, { recursive: true });
    expect((await (await read("raw?path=large.bin")).arrayBuffer()).byteLength).toBe(LARGE.length);
  });
});

/** The value once it has been the same ten times in a row. */
async function settled(read: () => Promise<number | null>): Promise<number | null> {
  let [last, times] = [await read(), 0];
  await until("the value stays", async () => {
    const next = await read();
    times = next === last ? times + 1 : 0;
    last = next;
    return times === 10;
  });
  return last;
}
