// Pushes that no good client sends: each is answered in git's protocol or with a 4xx, and nothing of it is to be seen.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ZERO_OID } from "../../src/domain/oid.ts";
import { encodeLine, encodePacket, FLUSH } from "../../src/domain/pkt-line.ts";
import { encodePackHeader } from "../../src/git/pack-header.ts";
import { HTTP_LIMITS } from "../../src/http/limits.ts";
import { gitBytes } from "../support/git.ts";
import { type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import {
  openPushTarget,
  type PushTarget,
  packOf,
  packOfObjects,
  pushCommands,
  type WorkingCopy,
  withChecksum,
} from "../support/push-world.ts";
import { runningGit } from "../support/running-git.ts";
import { until } from "../support/until.ts";

const MAIN = "refs/heads/main";
const NEW = "refs/heads/new";

let http: HttpWorld;
let target: PushTarget;
let work: WorkingCopy;
/** In the repository as main. */
let first: string;
/** In the working copy only, on top of the first. */
let second: string;
let pack: Buffer;
let stack: AsyncDisposableStack;
let count = 0;

beforeAll(async () => {
  http = await openHttpWorld({ limits: { ...HTTP_LIMITS, bodyIdleMs: 1_000 } });
});
afterAll(() => http[Symbol.asyncDispose]());

beforeEach(async () => {
  count += 1;
  stack = new AsyncDisposableStack();
  target = stack.use(await openPushTarget(http, `hostile-${count}`));
  work = stack.use(await target.clone());
  first = await work.commit({ "a.txt": "one\n" });
  await work.git("push", "--quiet", "origin", "main");
  second = await work.commit({ "a.txt": "two\n" });
  pack = await packOf(work.path, `${second}\n^${first}`);
});
afterEach(async () => {
  await expectNothingLeft();
  await stack.disposeAsync();
});

async function expectNothingLeft(): Promise<void> {
  expect(await target.refs()).toEqual({ [MAIN]: first });
  await until("nothing is left of the push", async () => {
    const folder = join(http.world.cacheDir, "quarantine");
    const [own = ""] = await readdir(folder);
    return (await readdir(join(folder, own))).length === 0 && (await runningGit(process.pid)).length === 0;
  });
}

/** The lines of the report, or the status and sentence of a refusal. */
async function push(body: Uint8Array, headers: Record<string, string> = {}): Promise<string[]> {
  const response = await target.post(body, headers);
  const text = await response.text();
  if (response.status !== 200) return [String(response.status), text.trimEnd()];
  return text
    .split("\n")
    .map((line) => line.replace(/^(0000)?[0-9a-f]{4}/, ""))
    .filter((line) => line !== "");
}

const creation = (oid = second, ref = NEW) => pushCommands([{ ref, new: oid }]);

/** A new commit of a tree that git itself would not make. */
async function commitOfTree(content: Uint8Array): Promise<{ readonly commit: string; readonly pack: Buffer }> {
  const input = (bytes: Uint8Array) => ({ input: bytes });
  const write = ["-C", work.path, "hash-object", "-w", "--stdin", "--literally", "-t", "tree"];
  const tree = (await gitBytes(write, input(content))).toString().trim();
  const commit = await work.git("commit-tree", "-m", "Hostile", tree);
  const blob = await work.git("rev-parse", "HEAD:a.txt");
  return { commit, pack: await packOfObjects(work.path, [commit, tree, blob]) };
}

async function treeEntry(name: string): Promise<Buffer> {
  const blob = await work.git("rev-parse", "HEAD:a.txt");
  return Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, "hex")]);
}

describe("a pack", () => {
  const refused = [expect.stringMatching(/^unpack (?!ok)/), `ng ${NEW} unpacker error`];

  test("that is cut off is not unpacked", async () => {
    expect(await push(Buffer.concat([creation(), pack.subarray(0, -30)]))).toEqual(refused);
  });

  test("that is not there is not unpacked", async () => {
    expect(await push(creation())).toEqual(refused);
  });

  test("with a wrong checksum is not unpacked", async () => {
    const wrong = Buffer.concat([pack.subarray(0, -1), Buffer.from([(pack.at(-1) ?? 0) ^ 1])]);
    expect(await push(Buffer.concat([creation(), wrong]))).toEqual(refused);
  });

  test("with a byte changed in an object is not unpacked", async () => {
    const body = Buffer.from(pack.subarray(0, -20));
    const at = body.length - 8;
    body[at] = (body[at] ?? 0) ^ 0xff;
    expect(await push(Buffer.concat([creation(), withChecksum(body)]))).toEqual(refused);
  });

  test("without a blob that its tree names is not unpacked", async () => {
    const tree = await work.git("rev-parse", "HEAD^{tree}");
    const holed = await packOfObjects(work.path, [second, tree]);
    expect(await push(Buffer.concat([creation(), holed]))).toEqual(refused);
  });

  test.each([".git", ".GIT", "git~1"])("with a file named %s is refused by that name", async (name) => {
    const { commit, pack: hostile } = await commitOfTree(await treeEntry(name));
    const [unpack] = await push(Buffer.concat([creation(commit), hostile]));
    expect(unpack).toMatch(/^unpack /);
    expect(unpack).toContain(name);
  });

  test("that builds on what is not here is not unpacked", async () => {
    const text = Array.from({ length: 500 }, (_, index) => `line ${index}\n`).join("");
    const base = await work.commit({ "long.txt": text });
    const next = await work.commit({ "long.txt": `${text}more\n` });
    const thin = ["-C", work.path, "pack-objects", "--revs", "--thin", "--stdout", "--quiet"];
    const body = await gitBytes(thin, { input: `${next}\n^${base}\n` });
    expect(body.length).toBeLessThan(1_000);
    expect(await push(Buffer.concat([creation(next), body]))).toEqual(refused);
  });

  test("with a tree that is no tree is not unpacked", async () => {
    const { commit, pack: hostile } = await commitOfTree(Buffer.from("garbage"));
    expect(await push(Buffer.concat([creation(commit), hostile]))).toEqual(refused);
  });

  test("without anything, for a commit that is nowhere, misses objects", async () => {
    const empty = withChecksum(encodePackHeader(0));
    expect(await push(Buffer.concat([creation(), empty]))).toEqual(["unpack ok", `ng ${NEW} missing necessary objects`]);
  });

  test("compressed with gzip that breaks off is refused", async () => {
    const zipped = gzipSync(Buffer.concat([creation(), pack]));
    const answer = push(zipped.subarray(0, -20), { "content-encoding": "gzip" });
    expect(await answer.catch(() => "connection ended")).toSatisfy((it) => it === "connection ended" || it[0] === "400");
  });
});

describe("a command", () => {
  const withPack = (...commands: Parameters<typeof pushCommands>) => push(Buffer.concat([pushCommands(...commands), pack]));

  test.each([
    ["f".repeat(40), "is refused as looking like an object id", /looks like an object id/],
    ["HEAD", "is refused as HEAD", /is HEAD/],
    ["-upload-pack=x", "is refused as an option", /begins with "-"/],
    ["A".repeat(64), "is refused as looking like a longer object id", /looks like an object id/],
    ["Main", "is refused beside main, of which it differs in case only", /cannot exist beside refs\/heads\/main/],
    ["a\u0001b", "is refused for its control character", /has a space, a control character/],
    ["a\u007f", "is refused for its delete character", /has a space, a control character/],
    ["\u001b[31mred", "is refused for its escape", /has a space, a control character/],
    ["x".repeat(256), "is refused for a part that no disk keeps", /a component longer than/],
    ["a.lock", "is refused as a lock file", /ends in "\.lock"/],
    ["a@{1}", "is refused as a reflog entry", /has "@\{"/],
    ["a..b", "is refused as two dots", /has "\.\."/],
    ["a b", "is refused for its space", /has a space/],
    ["main/below", "is refused beside main", /cannot exist beside refs\/heads\/main/],
    ["x".repeat(1_500), "is refused as too long", /longer than/],
  ])("to make the branch %s %s", async (name, _, reason) => {
    const [unpack, state] = await withPack([{ ref: `refs/heads/${name}`, new: second }]);
    expect([unpack, state]).toEqual(["unpack ok", expect.stringMatching(reason)]);
  });

  test.each(["HEAD", "main", "refs/coregit/x", "refs/heads"])("to make the ref %s is refused", async (ref) => {
    expect(await withPack([{ ref, new: second }])).toEqual(["unpack ok", expect.stringContaining(`ng ${ref} `)]);
  });

  test("for an object that the pack does not bring misses objects", async () => {
    expect(await withPack([{ ref: NEW, new: "f".repeat(40) }])).toEqual(["unpack ok", `ng ${NEW} missing necessary objects`]);
  });

  test("with an old commit that is not the ref's is told to fetch first", async () => {
    expect(await withPack([{ ref: MAIN, old: second, new: second }])).toEqual(["unpack ok", `ng ${MAIN} fetch first`]);
    expect(await withPack([{ ref: MAIN, new: second }])).toEqual(["unpack ok", `ng ${MAIN} fetch first`]);
  });

  test("to delete what is elsewhere, or nowhere, is refused", async () => {
    await work.git("push", "--quiet", "origin", "main~1:refs/heads/old");
    const answer = await push(pushCommands([{ ref: "refs/heads/old", old: second, new: ZERO_OID }]));
    expect(answer).toEqual(["unpack ok", "ng refs/heads/old stale info"]);
    await work.git("push", "--quiet", "origin", ":old");
    expect(await push(pushCommands([{ ref: NEW, new: ZERO_OID }]))).toEqual(["unpack ok", `ng ${NEW} no such ref`]);
  });

  test("given twice for one ref is refused twice", async () => {
    const twice = [
      { ref: NEW, new: second },
      { ref: NEW, new: first },
    ];
    const problem = `ng ${NEW} multiple updates for one ref are not allowed`;
    expect(await withPack(twice)).toEqual(["unpack ok", problem, problem]);
  });

  test("to point a branch or a tag to a tree is refused", async () => {
    const tree = await work.git("rev-parse", "HEAD^{tree}");
    for (const ref of [NEW, "refs/tags/tree"])
      expect(await withPack([{ ref, new: tree }])).toEqual(["unpack ok", `ng ${ref} it must not point to a tree`]);
  });
});

function manyCommands(count: number): Buffer {
  return pushCommands(Array.from({ length: count }, (_, index) => ({ ref: `${NEW}${index}`, new: "1".repeat(40) })));
}

describe("a request", () => {
  const line = (text: string) => encodePacket(Buffer.from(text));

  test.each([
    ["that holds garbage", Buffer.from("garbage, not packets")],
    ["that ends in a packet", Buffer.from("00a0 1234")],
    ["that ends before a flush", encodeLine(`${ZERO_OID} ${"1".repeat(40)} ${NEW}\0 report-status`)],
    ["whose command is none", Buffer.concat([line("hello\n"), FLUSH])],
    [
      "whose ref is not UTF-8",
      Buffer.concat([encodePacket(Buffer.from(`${ZERO_OID} ${"1".repeat(40)} refs/heads/\xff\0`, "latin1")), FLUSH]),
    ],
    ["whose line is too long", Buffer.concat([line(`${ZERO_OID} ${"1".repeat(40)} ${"x".repeat(5_000)}`), FLUSH])],
    [
      "with push options",
      Buffer.concat([pushCommands([{ ref: NEW, new: "1".repeat(40) }], "report-status push-options"), line("x"), FLUSH]),
    ],
    ["with other object names", pushCommands([{ ref: NEW, new: "1".repeat(40) }], "report-status object-format=sha256")],
    ["with too many commands", manyCommands(10_001)],
    ["with far too many commands", manyCommands(100_000)],
  ])("%s is refused", async (_, body) => {
    expect(await push(body)).toEqual(["400", expect.stringMatching(/^[A-Z].*\.$/)]);
  });

  test("of nothing is answered with nothing", async () => {
    const response = await target.post(FLUSH);
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("from a client that wants no report gets none, and one with a band gets it there", async () => {
    const quiet = await target.post(Buffer.concat([pushCommands([{ ref: "HEAD", new: second }], ""), pack]));
    expect(await quiet.text()).toBe("");
    const banded = await target.post(
      Buffer.concat([pushCommands([{ ref: "HEAD", new: second }], "report-status-v2 side-band-64k"), pack]),
    );
    expect((await banded.text()).replace("\u0001", "|")).toMatch(
      /^[0-9a-f]{4}\|000eunpack ok\n[0-9a-f]{4}ng HEAD funny refname.*\n00000000$/,
    );
  });

  /** The beginning of a push, and then nothing. */
  const unfinished = () =>
    new ReadableStream({ start: (controller) => controller.enqueue(Buffer.concat([creation(), pack.subarray(0, 40)])) });

  test("that falls silent is ended", async () => {
    const outcome = await target.post(unfinished()).then(
      ({ status }) => status,
      () => "connection ended",
    );
    expect(outcome).not.toBe(200);
  });

  test("whose client goes away while its pack is read leaves nothing", async () => {
    const abort = new AbortController();
    const answer = target.post(unfinished(), {}, abort.signal);
    await until("git reads the pack", async () => (await runningGit(process.pid)).length > 0);
    abort.abort();
    await expect(answer).rejects.toThrow("aborted");
  });

  test("without a key is refused before its body is read", async () => {
    const response = await target.post(unfinished(), { "x-api-key": "" });
    expect([response.status, response.headers.get("connection")]).toEqual([401, "close"]);
  });
});
