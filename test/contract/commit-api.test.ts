// What every provider's API for commits must do: one commit with the very tree that was planned, or a word that it cannot; nothing of
// anybody else's undone; and on bad days a failure that says what happened, after which the commit is there once or not at all.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CoregitError } from "../../src/domain/errors.ts";
import { objectId } from "../../src/domain/object-codec.ts";
import {
  type CommitHost,
  type CommitSite,
  type Files,
  failureOf,
  isOurs,
  type Provider,
  planCommit,
  startCommitHost,
  treeOf,
} from "../support/commit-hosts.ts";

const signal = () => AbortSignal.timeout(20_000);
const exec = (content: string) => ({ mode: "100755", content }) as const;
const link = (content: string) => ({ mode: "120000", content }) as const;
const submodule = (oid: string) => ({ mode: "160000", content: oid }) as const;

type Case = {
  readonly what: string;
  readonly before: Files;
  readonly change: Files;
  /** Which API says that it cannot. */
  readonly unsuited?: readonly Provider[];
};

/** More than GitHub is sent at once. */
const MANY: Files = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`many/${index}`, `${index}`]));

const CASES: readonly Case[] = [
  {
    what: "new, changed and deleted files",
    before: { a: "1", "d/b": "2", c: "3" },
    change: { a: "4", "d/b": null, "d/e/f": "5" },
  },
  { what: "an executable made and one that is none any more", before: { a: exec("1") }, change: { a: "1", b: exec("2") } },
  { what: "an executable bit alone", before: { a: "1" }, change: { a: exec("1") } },
  { what: "a changed executable", before: { a: exec("1") }, change: { a: exec("2") } },
  { what: "a file that becomes a folder", before: { a: "1", b: "2" }, change: { a: null, "a/b/c": "3" } },
  {
    what: "a folder that becomes a file",
    before: { "a/b": "1", "a/c": "2", d: "3" },
    change: { "a/b": null, "a/c": null, a: "4" },
  },
  {
    what: "a folder of hundreds of files that becomes a file",
    before: { ...MANY, kept: "1" },
    change: { ...Object.fromEntries(Object.keys(MANY).map((path) => [path, null])), many: "2" },
  },
  {
    what: "a folder of hundreds of files that becomes a submodule",
    before: { ...MANY, kept: "1" },
    change: { ...Object.fromEntries(Object.keys(MANY).map((path) => [path, null])), many: submodule("1".repeat(40)) },
    unsuited: ["gitlab"],
  },
  {
    what: "bytes that are no text",
    before: { a: "1" },
    change: { a: Buffer.from([0xff, 0xfe, 0x00, 0x0a]), b: Buffer.from([0xc3, 0x28]) },
  },
  { what: "a NUL, an empty file and a byte order mark", before: { a: "1" }, change: { a: "x\0y", b: "", c: "\ufefftext" } },
  { what: "a file that becomes empty", before: { a: "1" }, change: { a: "" } },
  { what: "text that JSON has to escape", before: { a: "1" }, change: { a: '"\\\u2028\u0001😀\t"123n\n', b: 'a","b":"123n' } },
  { what: "line ends of Windows", before: { a: "1\r\n2\r\n" }, change: { a: "1\r\n3\r\n" }, unsuited: ["gitlab"] },
  {
    what: "names with blanks, quotes, stars and other alphabets",
    before: { a: "1" },
    change: { "sp ace/'q\"/*?": "2", "\xc3\xa9/%2F#": "3", a: null, b: "1" },
  },
  { what: "a name with a line feed", before: { a: "1" }, change: { "a\nb": "2" }, unsuited: ["gitlab"] },
  { what: "a name that is not UTF-8", before: { a: "1" }, change: { "\xff": "2" }, unsuited: ["github", "gitlab"] },
  { what: "a symbolic link", before: { a: "1" }, change: { b: link("a") }, unsuited: ["gitlab"] },
  { what: "a symbolic link that goes", before: { a: "1", b: link("a") }, change: { b: null }, unsuited: ["gitlab"] },
  { what: "a submodule", before: { a: "1" }, change: { b: submodule("1".repeat(40)) }, unsuited: ["gitlab"] },
  { what: "a submodule that becomes a file", before: { a: submodule("1".repeat(40)) }, change: { a: "2" }, unsuited: ["gitlab"] },
];

const parentsOf = ({ git }: CommitSite) => git.source.git("log", "-1", "--format=%P", "main");
describe.each(["github", "gitlab"] as const)("commits by the API of %s", (provider) => {
  let host: CommitHost;
  beforeAll(async () => {
    host = await startCommitHost(provider);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test.each(CASES)("$what: the tree is the planned one, or it says that it cannot", async ({ before, change, unsuited = [] }) => {
    const here = await host.add(before);
    await using opened = here.open();
    const plan = await planCommit(here, change);
    const first = await here.head();
    const judgement = await opened.api.judge(plan, Number.POSITIVE_INFINITY, signal());
    if (unsuited.includes(provider)) {
      expect(judgement.kind).toBe("unsuited");
      return;
    }
    expect(judgement).toMatchObject({ kind: "suited", isSigned: false });
    host.clear();
    const made = await opened.api.commit(plan, signal());
    expect([made.oid, await treeOf(here), await parentsOf(here)]).toEqual([await here.head(), plan.tree, first]);
    expect(made.content === null ? null : objectId("commit", made.content)).toBe(made.oid);
    expect(await here.git.source.git("log", "-1", "--format=%an <%ae>", "main")).toBe("Ada <ada@example.com>");
    expect(await isOurs(here)).toBe(true);
    expect(host.requests.length).toBe(opened.api.calls);
    expect(host.requests.length).toBeLessThanOrEqual(judgement.kind === "suited" ? judgement.calls : 0);
    await here.git.source.git("fsck", "--strict");
  });

  test("an empty repository is left to git", async () => {
    const here = await host.add(null);
    await using opened = here.open();
    const judgement = await opened.api.judge(await planCommit(here, { a: "1" }), Number.POSITIVE_INFINITY, signal());
    expect(judgement.kind).toBe("unsuited");
    expect(opened.api.calls).toBe(0);
  });

  const THEIRS: readonly [what: string, change: Files][] = [
    ["another file", { other: "theirs" }],
    ["the file that is changed", { changed: "theirs" }],
    ["the file that is changed, as ours", { changed: "ours" }],
    ["the mode of the file whose mode is changed", { mode: exec("theirs") }],
    ["the file that is deleted", { deleted: "theirs" }],
    ["the file that is deleted, deleted as well", { deleted: null }],
    ["the file that is made", { made: "theirs" }],
    ["a file where the new one needs a folder", { folder: "theirs" }],
  ];

  test.each(THEIRS)("somebody else's change of %s in the meantime is not undone", async (_, theirs) => {
    const here = await host.add({ changed: "1", deleted: "1", mode: "1", kept: "1" });
    const plan = await planCommit(here, { changed: "ours", deleted: null, mode: exec("1"), made: "ours", "folder/made": "ours" });
    const there = await here.commitThere(theirs);
    await using opened = here.open();
    const failure = await failureOf(opened.api.commit(plan, signal()));
    if (failure !== null) {
      expect(failure.code).toBe("RemoteMoved");
      expect(await here.head()).toBe(there);
      return;
    }
    // On top of theirs, and nothing that they changed is different.
    expect(await parentsOf(here)).toBe(there);
    const touched = await here.git.source.git("diff", "--name-only", there, "main");
    expect(touched.split("\n").filter((path) => Object.keys(theirs).includes(path))).toEqual([]);
  });

  test("a branch that is gone is not made anew", async () => {
    const here = await host.add({ a: "1" });
    const plan = await planCommit(here, { a: "2" });
    await here.git.source.branch("other", await here.git.source.head());
    await here.git.source.deleteBranch("main");
    await using opened = here.open();
    expect((await failureOf(opened.api.commit(plan, signal())))?.code).toBe("RemoteMoved");
    expect(await here.head()).toBeNull();
  });

  test("a limit is waited for as the provider says, and nothing is asked before", async () => {
    const here = await host.add({ a: "1" });
    await using opened = here.open();
    host.faults.order(/POST/, { kind: "answer", status: 429, body: "Retry later\n", headers: { "retry-after": "7" } });
    host.clear();
    const before = Date.now();
    const failure = await failureOf(opened.api.commit(await planCommit(here, { a: "2" }), signal()));
    expect(failure?.code).toBe("RateLimited");
    expect(failure?.retryAtMs).toBeGreaterThanOrEqual(before + 7_000);
    expect(host.requests.at(-1)?.status).toBe(429);
    expect(await isOurs(here)).toBe(false);
  });

  test("a credential that is none is refused before anything is made", async () => {
    const here = await host.add({ a: "1" });
    const token = "no-token-of-anybody";
    await using opened = here.open({ token });
    const failure = await failureOf(opened.api.commit(await planCommit(here, { a: "2" }), signal()));
    expect(failure?.code).toBe("AuthenticationFailed");
    expect(JSON.stringify([failure?.message, failure?.stack])).not.toContain(token);
  });

  test("an abort ends it with its reason", async () => {
    const here = await host.add({ a: "1" });
    await using opened = here.open();
    const reason = new CoregitError("Timeout", "The time is up.");
    const controller = new AbortController();
    host.faults.order(/POST/, { kind: "before", run: async () => controller.abort(reason) });
    expect(await failureOf(opened.api.commit(await planCommit(here, { a: "2" }), controller.signal))).toBe(reason);
  });
});
