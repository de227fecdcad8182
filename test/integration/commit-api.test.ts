// Commits through the API on a real database: the product page's requests, every action, compare-and-swap, and what git
// itself says of the result.
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpAnswer, type HttpServer, type HttpWorld, openHttpWorld } from "../support/http-world.ts";

const SHA = expect.stringMatching(/^[0-9a-f]{40}$/);
const AGENT = { name: "Agent", email: "agent@example.com" };

let http: HttpWorld;

beforeAll(async () => {
  http = await openHttpWorld();
});

afterAll(async () => {
  await http[Symbol.asyncDispose]();
});

let repositories = 0;

/** An empty repository of its own. */
async function newRepository(): Promise<string> {
  repositories += 1;
  const slug = `site-${repositories}`;
  const sql = "INSERT INTO repositories (id, namespace, slug) VALUES ($1, 'default', $2)";
  await http.world.database.query(sql, [`repo_${slug}`, slug]);
  return slug;
}

type Fields = Readonly<Record<string, unknown>>;

function commit(slug: string, changes: readonly Fields[], fields: Fields = {}, server: HttpServer = http): Promise<HttpAnswer> {
  const body = { branch: "main", message: "Change", author: AGENT, changes, ...fields };
  return server.ask(`/v1/repos/${slug}/commits`, { method: "POST", body });
}

async function committed(slug: string, changes: readonly Fields[], fields: Fields = {}): Promise<string> {
  const { status, body } = await commit(slug, changes, fields);
  expect([status, body]).toEqual([201, expect.anything()]);
  return String(body.sha);
}

const randomText = (bytes: number) => randomBytes(bytes).toString("base64").slice(0, bytes);
const put = (path: string, content: string, more: Fields = {}): Fields => ({ path, content, ...more });
const git = (slug: string, ...args: string[]) => http.world.git(args, slug);

/** `mode path content` of every file. */
async function listFiles(slug: string, branch = "main"): Promise<string[]> {
  const entries = (await git(slug, "ls-tree", "-r", branch)).split("\n").filter((line) => line !== "");
  return await Promise.all(
    entries.map(async (line) => {
      const [, mode, oid, path] = /^(\d+) \w+ (\w+)\t(.*)$/.exec(line) ?? [];
      return `${mode} ${path} ${await git(slug, "cat-file", "blob", String(oid))}`;
    }),
  );
}

describe("the requests of the product page", () => {
  test("make a commit, list it and get it", async () => {
    const slug = await newRepository();
    const first = await committed(slug, [put("old-file.txt", "old")]);
    const asked = {
      branch: "main",
      message: "Add homepage and config",
      parent_sha: first,
      author: AGENT,
      changes: [
        { path: "index.html", content: "<h1>Hello</h1>" },
        { path: "config.json", content: '{"version": 1}', encoding: "utf-8" },
        { path: "old-file.txt", action: "delete" },
      ],
    };
    const made = await http.ask(`/v1/repos/${slug}/commits`, { method: "POST", body: asked });
    const tree = await git(slug, "rev-parse", "main^{tree}");
    expect([made.status, made.body]).toEqual([
      201,
      { sha: SHA, tree_sha: tree, branch: "main", parent_sha: first, previous_sha: first },
    ]);
    expect(await git(slug, "rev-parse", "main")).toBe(made.body.sha);
    expect(await listFiles(slug)).toEqual(['100644 config.json {"version": 1}', "100644 index.html <h1>Hello</h1>"]);

    const shown = {
      sha: made.body.sha,
      message: "Add homepage and config",
      author_name: "Agent",
      author_email: "agent@example.com",
      timestamp: expect.any(Number),
      parents: [first],
    };
    const listed = await http.ask(`/v1/repos/${slug}/commits?ref=main&limit=1`);
    expect(listed.body).toMatchObject({ commits: [shown], ref: "main", has_more: true });
    expect((await http.ask(`/v1/repos/default/${slug}/commits/${made.body.sha}`)).body).toEqual({ ...shown, tree });
  });

  test("are answered at both addresses, and others are refused", async () => {
    const slug = await newRepository();
    const body = { branch: "main", message: "m", author: AGENT, changes: [put("a", "1")] };
    expect((await http.ask(`/v1/repos/default/${slug}/commits`, { method: "POST", body })).status).toBe(201);
    expect((await http.ask("/v1/repos/nothing/commits", { method: "POST", body })).status).toBe(404);
    expect((await http.ask(`/v1/repos/${slug}/commits`, { method: "POST", body, headers: {} })).status).toBe(401);
    expect((await http.ask(`/v1/repos/${slug}/commits`, { method: "PUT", body })).status).toBe(405);
  });
});

describe("a commit", () => {
  test("edits, renames, creates, deletes and writes binary files at once", async () => {
    const slug = await newRepository();
    await committed(slug, [put("a/edit.txt", "one two"), put("a/move.sh", "run", { mode: "100755" }), put("gone", "x")]);
    await committed(slug, [
      {
        path: "a/edit.txt",
        action: "edit",
        edits: [
          { old_string: "one", new_string: "1" },
          { old_string: "1 two", new_string: "12" },
        ],
      },
      { path: "a/move.sh", action: "rename", new_path: "b/moved.sh" },
      { path: "gone", action: "delete" },
      { path: "new", action: "create", content: "new" },
      { path: "bytes", content: Buffer.from([0, 255, 10]).toString("base64"), encoding: "base64" },
      { path: "link", content: "a/edit.txt", mode: "120000" },
    ]);
    const files = await listFiles(slug);
    expect(files.filter((line) => !line.includes("bytes"))).toEqual([
      "100644 a/edit.txt 12",
      "100755 b/moved.sh run",
      "120000 link a/edit.txt",
      "100644 new new",
    ]);
    expect(await git(slug, "cat-file", "-s", "main:bytes")).toBe("3");
  });

  test("keeps the mode of a file that it overwrites, unless told otherwise", async () => {
    const slug = await newRepository();
    await committed(slug, [put("run", "1", { mode: "100755" }), put("link", "x", { mode: "120000" })]);
    await committed(slug, [put("run", "2"), put("link", "y")]);
    expect(await listFiles(slug)).toEqual(["120000 link y", "100755 run 2"]);
    await committed(slug, [put("run", "2", { mode: "100644" })]);
    expect(await listFiles(slug)).toEqual(["120000 link y", "100644 run 2"]);
  });

  test("may replace a file by a folder and a folder by a file", async () => {
    const slug = await newRepository();
    await committed(slug, [put("a", "1"), put("b/c", "2")]);
    await committed(slug, [{ path: "a", action: "delete" }, put("a/b", "3"), { path: "b/c", action: "delete" }, put("b", "4")]);
    expect(await listFiles(slug)).toEqual(["100644 a/b 3", "100644 b 4"]);
  });

  test("may remove the last file", async () => {
    const slug = await newRepository();
    await committed(slug, [put("a", "1")]);
    await committed(slug, [{ path: "a", action: "delete" }]);
    expect(await listFiles(slug)).toEqual([]);
  });

  test("carries author, committer, dates and any Unicode", async () => {
    const slug = await newRepository();
    await committed(slug, [put("ä/\u{1f600}.txt", "ü\u0000")], {
      message: "Schöne Grüße\n\nBody\n",
      author: { ...AGENT, date: "2026-01-31T12:00:00+02:00" },
      committer: { name: "Zoë", email: "zoe@example.com", date: "2026-02-01T00:00:00Z" },
    });
    expect(await git(slug, "log", "-1", "--date=raw", "--format=%an|%ae|%ad|%cn|%ce|%cd|%B", "main")).toBe(
      "Agent|agent@example.com|1769853600 +0200|Zoë|zoe@example.com|1769904000 +0000|Schöne Grüße\n\nBody\n",
    );
    expect(await git(slug, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "main")).toBe("ä/\u{1f600}.txt");
  });

  test("makes its branch, without history or from a base branch", async () => {
    const slug = await newRepository();
    const first = await commit(slug, [put("a", "1")]);
    expect(first.body).toMatchObject({ branch: "main", parent_sha: null, previous_sha: null });
    const based = await commit(slug, [put("b", "2")], { branch: "feature/x", base_branch: "main" });
    expect(based.body).toMatchObject({ branch: "feature/x", parent_sha: first.body.sha, previous_sha: null });
    expect(await listFiles(slug, "feature/x")).toEqual(["100644 a 1", "100644 b 2"]);
    const alone = await commit(slug, [put("c", "3")], { branch: "other" });
    expect(alone.body).toMatchObject({ parent_sha: null, previous_sha: null });
    // On a branch that is there its base has no effect.
    const next = await commit(slug, [put("d", "4")], { branch: "other", base_branch: "main" });
    expect(next.body).toMatchObject({ parent_sha: alone.body.sha, previous_sha: alone.body.sha });
    expect((await commit(slug, [put("a", "1")], { branch: "z", base_branch: "none" })).status).toBe(404);
    expect((await commit(slug, [put("a", "1")], { branch: "feature" })).body).toMatchObject({ code: "REF_NAME_REFUSED" });
  });

  test("that changes nothing is made only when that is allowed", async () => {
    const slug = await newRepository();
    expect((await commit(slug, [])).body).toMatchObject({ code: "NOTHING_TO_COMMIT" });
    const root = await committed(slug, [], { allow_empty: true });
    await committed(slug, [put("a", "1")]);
    const again = await commit(slug, [put("a", "1")]);
    expect([again.status, again.body.code]).toEqual([422, "NOTHING_TO_COMMIT"]);
    const empty = await commit(slug, [put("a", "1")], { allow_empty: true });
    expect(empty.status).toBe(201);
    expect(await git(slug, "rev-list", "--count", "main")).toBe("3");
    expect(await git(slug, "rev-parse", `${root}^{tree}`)).toBe("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  });

  test("with a stale parent_sha is refused with the current head", async () => {
    const slug = await newRepository();
    const first = await committed(slug, [put("a", "1")]);
    const second = await committed(slug, [put("a", "2")], { parent_sha: first.toUpperCase() });
    const stale = await commit(slug, [put("a", "3")], { parent_sha: first });
    expect([stale.status, stale.body.head_sha, stale.body.code]).toEqual([409, second, "REF_MOVED"]);
    const missing = await commit(slug, [put("a", "3")], { parent_sha: first, branch: "none" });
    expect([missing.status, missing.body.head_sha]).toEqual([409, null]);
    expect(await git(slug, "for-each-ref", "--format=%(refname) %(objectname)")).toBe(`refs/heads/main ${second}`);
  });

  test("leaves a line in the reflog and wakes who waits for the ref", async () => {
    const slug = await newRepository();
    const woken: string[] = [];
    const handlers = { onMessage: (id: string) => void woken.push(id), onGap: () => undefined };
    await using _listening = await http.world.database.listen("coregit_ref_moved", handlers);
    const first = await committed(slug, [put("a", "1")]);
    const second = await committed(slug, [put("a", "2")], { message: "Two\n\nbody" });
    const { rows } = await http.world.database.query(
      "SELECT ref, old_oid, new_oid, actor, reason FROM reflog WHERE repository_id = $1 ORDER BY id",
      [`repo_${slug}`],
    );
    expect(rows).toEqual([
      { ref: "refs/heads/main", old_oid: null, new_oid: first, actor: "master", reason: "commit: Change" },
      { ref: "refs/heads/main", old_oid: first, new_oid: second, actor: "master", reason: "commit: Two" },
    ]);
    await expect.poll(() => woken).toEqual([`repo_${slug}`, `repo_${slug}`]);
  });

  test("of many files is in the blob store, and no view is made for it", async () => {
    const slug = await newRepository();
    const changes = Array.from({ length: 1_000 }, (_, index) => put(`d${index % 20}/f${index}.txt`, randomText(1_000)));
    await committed(slug, changes);
    await committed(slug, [{ path: "d1/f1.txt", action: "delete" }]);
    expect(await readdir(join(http.world.cacheDir, "views"))).not.toContain(`repo_${slug}`);
    const { rows } = await http.world.database.query(
      "SELECT object_count, pack_bytes IS NULL AS is_in_blob_store FROM packs WHERE repository_id = $1 ORDER BY created_at, object_count DESC",
      [`repo_${slug}`],
    );
    expect(rows[0]).toEqual({ object_count: 1_000, is_in_blob_store: true });
    expect((await git(slug, "ls-tree", "-r", "--name-only", "main")).split("\n")).toHaveLength(999);
  });

  test("of files of 10 MiB is made, in either encoding", async () => {
    const slug = await newRepository();
    const bytes = Buffer.alloc(10_485_760, "0123456789abcdef");
    await committed(slug, [
      put("text", bytes.toString("latin1")),
      put("bytes", bytes.toString("base64"), { encoding: "base64" }),
      put("escaped", "\u0001".repeat(1_000_000)),
    ]);
    expect(await git(slug, "cat-file", "-s", "main:bytes")).toBe("10485760");
    expect(await git(slug, "rev-parse", "main:text")).toBe(await git(slug, "rev-parse", "main:bytes"));
  });
});

describe("a repository that is made again under its name", () => {
  test("takes commits, and nothing of what was there before", async () => {
    const slug = await newRepository();
    await committed(slug, [put("a", "1")]);
    await http.world.store.remove(`repo_${slug}`);
    expect((await commit(slug, [put("a", "2")])).status).toBe(404);
    await http.world.database.query("INSERT INTO repositories (id, namespace, slug) VALUES ($1, 'default', $2)", [
      `repo_again_${slug}`,
      slug,
    ]);
    expect((await commit(slug, [{ path: "a", action: "delete" }])).body).toMatchObject({ code: "CHANGE_REFUSED" });
    expect((await commit(slug, [put("a", "1")])).body).toMatchObject({ parent_sha: null, previous_sha: null });
  });
});

describe("commits are listed", () => {
  test("by path, in pages, as git finds them", async () => {
    const slug = await newRepository();
    for (let round = 0; round < 6; round += 1) {
      await committed(slug, [put(round % 2 === 0 ? "a/x" : "b", `${round}`)], { message: `${round}` });
    }
    await committed(slug, [{ path: "a/x", action: "delete" }], { message: "6" });
    const messages = async (query: string) => {
      const { body } = await http.ask(`/v1/repos/${slug}/commits?${query}`);
      return [(body.commits as { message: string }[]).map(({ message }) => message).join(), body.has_more, body.next_cursor];
    };
    expect(await messages("path=a")).toEqual(["6,4,2,0", false, null]);
    expect(await messages("path=a/x")).toEqual(["6,4,2,0", false, null]);
    expect(await messages("path=b")).toEqual(["5,3,1", false, null]);
    expect(await messages("path=none")).toEqual(["", false, null]);
    const [first, , cursor] = await messages("path=a&limit=2");
    expect(first).toBe("6,4");
    expect(await messages(`path=a&limit=2&cursor=${cursor}`)).toEqual(["2,0", false, null]);
    expect((await git(slug, "log", "--format=%s", "main", "--", "a")).split("\n").join()).toBe("6,4,2,0");
    expect((await http.ask(`/v1/repos/${slug}/commits?path=../a`)).status).toBe(400);
  });

  test("from a tag or a short id, and shown with what they changed", async () => {
    const slug = await newRepository();
    const first = await committed(slug, [put("a", "1\n2\n")]);
    const second = await committed(slug, [put("a", "1\n3\n4\n"), put("b", "x\n")]);
    await http.world.database.query("INSERT INTO refs (repository_id, name, oid) VALUES ($1, 'refs/tags/v1', $2)", [
      `repo_${slug}`,
      first,
    ]);
    for (const ref of ["v1", first.slice(0, 8), first]) {
      expect((await http.ask(`/v1/repos/${slug}/commits?ref=${ref}`)).body).toMatchObject({ commits: [{ sha: first }], ref });
    }
    const shown = (sha: string) => http.ask(`/v1/repos/${slug}/commits/${sha}?stats=true`);
    expect((await shown(second.slice(0, 8))).body).toMatchObject({
      sha: second,
      stats: { files_changed: 2, additions: 3, deletions: 1, truncated: false },
    });
    expect((await shown(first)).body.stats).toEqual({ files_changed: 1, additions: 2, deletions: 0, truncated: false });
  });
});

describe("writers of one branch", () => {
  test("all land, and none is refused", async () => {
    const slug = await newRepository();
    const answers = await Promise.all(Array.from({ length: 64 }, (_, index) => commit(slug, [put(`f${index}`, String(index))])));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await git(slug, "rev-list", "--count", "main")).toBe("64");
    expect(await listFiles(slug)).toHaveLength(64);
    const parents = answers.map(({ body }) => body.parent_sha);
    expect(new Set(parents).size).toBe(64);
  });

  test("with one parent_sha are one winner and losers that learn the head", async () => {
    const slug = await newRepository();
    const first = await committed(slug, [put("a", "0")]);
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => commit(slug, [put("a", `${index + 1}`)], { parent_sha: first })),
    );
    const winner = answers.find(({ status }) => status === 201);
    const losers = answers.filter(({ status }) => status === 409);
    expect(losers).toHaveLength(15);
    expect(new Set(losers.map(({ body }) => body.head_sha))).toEqual(new Set([winner?.body.sha]));
  });

  test("through two replicas all land, also while they read what the other wrote", async () => {
    const slug = await newRepository();
    const replica = await http.replica();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        commit(slug, [put(`d/f${index}`, `${index}`)], {}, index % 2 === 0 ? http : replica),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.parent_sha)).size).toBe(40);
    expect(await git(slug, "rev-list", "--count", "main")).toBe("40");
    expect((await listFiles(slug)).toSorted()).toEqual(
      Array.from({ length: 40 }, (_, index) => `100644 d/f${index} ${index}`).toSorted(),
    );
  });
});
