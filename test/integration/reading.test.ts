// Trees, blobs and raw files over HTTP, against what native git says of the same repository.
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gitBytes } from "../support/git.ts";
import { addRepository } from "../support/git-store.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { pushSource } from "../support/push-source.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";

const SUBMODULE = "1234567890123456789012345678901234567890";
const LARGE = randomBytes(11 * 1024 * 1024);
const TEXT = "Grüße\n";
const TEXT_SHA = createHash("sha1")
  .update(`blob ${Buffer.byteLength(TEXT)}\0${TEXT}`)
  .digest("hex");

let http: HttpWorld;
let source: SourceRepository;

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({
    "README.md": TEXT,
    "empty.txt": "",
    "docs/a.md": "a\n",
    "docs/b/c.md": "c\n",
    "docs.md": "sorts before the folder docs\n",
    "bin/run.sh": { mode: "100755", content: "#!/bin/sh\n" },
    "bin/data": Buffer.from([0, 1, 2, 255]),
    link: { mode: "120000", content: "docs/a.md" },
    lib: { mode: "160000", content: SUBMODULE },
    "page.html": "<script>alert(1)</script>\n",
    "odd/caf\xe9.txt": "latin1 name\n",
    'odd/new\nline "quoted" \\ back.txt': "odd\n",
    "odd/-dash": "dash\n",
    "odd/*glob?[x]": "glob\n",
    [Buffer.from("odd/日本.txt").toString("latin1")]: "utf-8 name\n",
  });
  await source.git("tag", "v1");
  await source.commit({ "large.bin": LARGE, "almost.txt": "x".repeat(1024 * 1024) });
  await source.git("update-ref", "refs/heads/feature/old", "v1");
  http = await openHttpWorld();
  await pushSource(http.world.store, await addRepository(http.world.database, "copy"), source);
  await addRepository(http.world.database, "blank");
}, 120_000);

afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

const read = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(`${http.url}/v1/repos/copy/${path}`, { method, headers: { "x-api-key": MASTER_KEY, ...headers } });

async function entries(query: string): Promise<Record<string, unknown>[]> {
  return (await http.ask(`/v1/repos/copy/tree${query}`)).body.entries as Record<string, unknown>[];
}

describe("a tree", () => {
  test("lists a folder with types, modes, ids and sizes", async () => {
    const { status, body } = await http.ask("/v1/repos/copy/tree?ref=v1");
    const commit = await source.git("rev-parse", "v1^{commit}");
    expect([status, { ...body, entries: [] }]).toEqual([
      200,
      { ref: "v1", commit_sha: commit, path: "", sha: await source.tree("v1"), entries: [], truncated: false },
    ]);
    expect(body.entries).toContainEqual({
      name: "README.md",
      path: "README.md",
      type: "blob",
      mode: "100644",
      sha: TEXT_SHA,
      size: 8,
    });
    expect(body.entries).toContainEqual({
      name: "docs",
      path: "docs",
      type: "tree",
      mode: "040000",
      sha: await source.git("rev-parse", "v1:docs"),
    });
    expect(body.entries).toContainEqual({ name: "lib", path: "lib", type: "commit", mode: "160000", sha: SUBMODULE });
    expect(body.entries).toContainEqual(expect.objectContaining({ path: "link", type: "blob", mode: "120000", size: 9 }));
    expect((await http.ask("/v1/repos/default/copy/tree?ref=v1")).body).toEqual(body);
  });

  test.each([["main"], ["refs/tags/v1"], ["feature/old"]])("read whole at %s is what git lists", async (ref) => {
    const listed = await gitBytes(["-C", source.path, "ls-tree", "-r", "-t", "-l", "-z", ref]);
    const expected = listed.toString("latin1").split("\0").slice(0, -1).map(parseListed);
    const found = await entries(`?recursive=true&ref=${encodeURIComponent(ref)}`);
    expect(found.map((entry) => ({ ...entry, name: "" }))).toEqual(expected);
  });

  test("shows a name that is no text escaped, with its bytes, by which it can be read", async () => {
    const odd = (await entries("?path=odd")).find(({ path_base64 }) => path_base64 !== undefined);
    expect(odd).toMatchObject({ name: "caf\\xe9.txt", path: "odd/caf\\xe9.txt" });
    const bytes = encodeURIComponent(String(odd?.path_base64));
    expect(await (await read(`raw?path_base64=${bytes}`)).text()).toBe("latin1 name\n");
    expect((await http.ask(`/v1/repos/copy/blob?path_base64=${bytes}`)).body).toMatchObject({ path_base64: odd?.path_base64 });
  });

  test("of a folder has whole paths, whatever slashes stand around its own", async () => {
    const names = (await entries("?path=docs")).map(({ path }) => path);
    expect(names).toEqual(["docs/a.md", "docs/b"]);
    expect(await entries("?path=/docs/")).toEqual(await entries("?path=docs"));
    expect((await entries("?path=docs&recursive=true")).map(({ path }) => path)).toEqual(["docs/a.md", "docs/b", "docs/b/c.md"]);
  });

  test("that is longer than the limit is cut and says so", async () => {
    const whole = await entries("?recursive=true");
    const { body } = await http.ask(`/v1/repos/copy/tree?recursive=true&limit=${whole.length - 1}`);
    expect(body).toMatchObject({ entries: whole.slice(0, -1), truncated: true });
    expect((await http.ask(`/v1/repos/copy/tree?recursive=true&limit=${whole.length}`)).body.truncated).toBe(false);
  });

  test("of a repository without commits is empty, but for its files", async () => {
    expect(await http.ask("/v1/repos/blank/tree")).toMatchObject({
      status: 200,
      body: { ref: "main", commit_sha: null, entries: [], truncated: false },
    });
    const missing = await http.ask("/v1/repos/blank/tree?path=docs");
    expect(missing).toMatchObject({
      status: 404,
      body: { code: "PATH_NOT_FOUND", error: expect.stringContaining("no commits") },
    });
    expect(await http.ask("/v1/repos/blank/tree?ref=main")).toMatchObject({ status: 404, body: { code: "REF_NOT_FOUND" } });
  });

  test.each([
    ["path=none", 404, "PATH_NOT_FOUND", "There is nothing at"],
    ["path=README.md", 404, "PATH_NOT_FOUND", "is a file, not a folder"],
    ["path=README.md/x", 404, "PATH_NOT_FOUND", "There is nothing at"],
    ["path=lib", 404, "PATH_NOT_FOUND", "is a submodule link, not a folder"],
    ["path=docs/../docs", 404, "PATH_NOT_FOUND", "There is nothing at"],
    ["path=docs%00", 404, "PATH_NOT_FOUND", "There is nothing at"],
    ["limit=0", 400, "INVALID_REQUEST", "between 1 and 10000"],
    ["limit=10001", 400, "INVALID_REQUEST", "between 1 and 10000"],
    ["recursive=yes", 400, "INVALID_REQUEST", "recursive"],
    ["path_base64=%21", 400, "INVALID_REQUEST", "must be base64"],
    ["other=1", 400, "INVALID_REQUEST", "other"],
  ])("with %s is refused with %i", async (query, status, code, error) => {
    expect(await http.ask(`/v1/repos/copy/tree?${query}`)).toMatchObject({
      status,
      body: { code, error: expect.stringContaining(error) },
    });
  });
});

/** A line of `ls-tree -l` as the API shows the entry, without its name. */
function parseListed(line: string): Record<string, unknown> {
  const [, mode, type, sha, size, path] = /^(\d+) (\w+) (\w+) +(\d+|-)\t(.*)$/s.exec(line) ?? [];
  const bytes = Buffer.from(path ?? "", "latin1");
  const isText =
    bytes.toString("utf8") === Buffer.from(bytes.toString("utf8")).toString() && !bytes.toString().includes("\ufffd");
  return {
    name: "",
    ...(isText ? { path: bytes.toString("utf8") } : { path: "odd/caf\\xe9.txt", path_base64: bytes.toString("base64") }),
    ...{ type, mode, sha },
    ...(size === "-" ? {} : { size: Number(size) }),
  };
}

describe("hostile revisions", () => {
  test.each([
    "--output=/tmp/x",
    "HEAD^{/x}",
    "@{-1}",
    ":/x",
    ":README.md",
    "main:README.md",
    "main..v1",
    "^main",
    "main~1",
    "-h",
    "\u0001",
  ])("%j is no name of anything", async (ref) => {
    const named = encodeURIComponent(ref);
    for (const route of [`tree?ref=${named}`, `raw?path=README.md&ref=${named}`, `blob?path=README.md&ref=${named}`]) {
      expect(await http.ask(`/v1/repos/copy/${route}`)).toMatchObject({ status: 404, body: { code: "REF_NOT_FOUND" } });
    }
  });

  test("with a NUL are malformed", async () => {
    expect(await http.ask("/v1/repos/copy/tree?ref=main%00")).toMatchObject({ status: 400, body: { field: "ref" } });
  });
});

describe("a blob", () => {
  test("is shown as text with where it stands", async () => {
    const commit = await source.head();
    expect((await http.ask("/v1/repos/copy/blob?path=README.md")).body).toEqual({
      sha: TEXT_SHA,
      path: "README.md",
      mode: "100644",
      commit_sha: commit,
      size: 8,
      encoding: "utf-8",
      content: TEXT,
    });
    expect((await http.ask(`/v1/repos/copy/blob/${TEXT_SHA}`)).body).toEqual({
      sha: TEXT_SHA,
      size: 8,
      encoding: "utf-8",
      content: TEXT,
    });
    expect((await http.ask("/v1/repos/copy/blob?path=empty.txt")).body).toMatchObject({
      size: 0,
      encoding: "utf-8",
      content: "",
    });
  });

  test("that is no text is shown in base64", async () => {
    expect((await http.ask("/v1/repos/copy/blob?path=bin/data")).body).toMatchObject({
      size: 4,
      encoding: "base64",
      content: "AAEC/w==",
    });
  });

  test("that is a symbolic link has its target as content", async () => {
    expect((await http.ask("/v1/repos/copy/blob?path=link")).body).toMatchObject({ mode: "120000", content: "docs/a.md" });
  });

  test("that the client has is not sent again", async () => {
    const first = await read("blob?path=README.md");
    const etag = first.headers.get("etag") ?? "";
    const again = await read("blob?path=README.md", { "if-none-match": etag });
    expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
    expect((await read(`blob/${TEXT_SHA}`, { "if-none-match": etag })).status).toBe(200);
    expect((await read(`blob/${TEXT_SHA}`, { "if-none-match": `W/"${TEXT_SHA}"` })).status).toBe(304);
  });

  test("that is too large for JSON is refused with its size and the way out", async () => {
    expect(await http.ask("/v1/repos/copy/blob?path=large.bin")).toMatchObject({
      status: 422,
      body: { code: "ANSWER_TOO_LARGE", size: LARGE.length, error: expect.stringContaining("raw route") },
    });
  });

  test.each([
    [`blob/${"0".repeat(40)}`, 404, "NOT_FOUND"],
    ["blob/abc", 400, "INVALID_REQUEST"],
    ["blob?path=docs", 404, "PATH_NOT_FOUND"],
    ["blob?path=lib", 404, "PATH_NOT_FOUND"],
    ["blob", 404, "PATH_NOT_FOUND"],
  ])("at %s is refused with %i", async (path, status, code) => {
    expect(await http.ask(`/v1/repos/copy/${path}`)).toMatchObject({ status, body: { code } });
  });

  test("of a tree's or commit's id is none", async () => {
    for (const oid of [await source.tree(), await source.head()]) {
      expect(await http.ask(`/v1/repos/copy/blob/${oid}`)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    }
  });

  test("is not read through another repository", async () => {
    expect(await http.ask(`/v1/repos/blank/blob/${TEXT_SHA}`)).toMatchObject({ status: 404 });
  });
});

describe("a raw file", () => {
  test("is text that nothing executes", async () => {
    const answer = await read("raw?path=page.html");
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("sandbox"),
      "content-disposition": `inline; filename="page.html"; filename*=UTF-8''page.html`,
      "accept-ranges": "bytes",
    });
    expect(await answer.text()).toBe("<script>alert(1)</script>\n");
  });

  test("that is no text is an attachment, byte for byte", async () => {
    const answer = await read("raw?path=bin/data");
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment;/);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from([0, 1, 2, 255]));
  });

  test("with an odd name has a header that is still one", async () => {
    const name = 'new\nline "quoted" \\ back.txt';
    const answer = await read(`raw?path=${encodeURIComponent(`odd/${name}`)}`);
    expect(await answer.text()).toBe("odd\n");
    const disposition = answer.headers.get("content-disposition") ?? "";
    expect(disposition).toMatch(/^inline; filename="new_line _quoted_ _ back\.txt"; filename\*=UTF-8''/);
    expect(decodeURIComponent(disposition.split("''")[1] ?? "")).toBe(name);
    const japanese = await read(`raw?path=${encodeURIComponent("odd/日本.txt")}`);
    expect(decodeURIComponent(japanese.headers.get("content-disposition")?.split("''")[1] ?? "")).toBe("日本.txt");
  });

  test.each([
    ["bytes=0-1", 206, "Gr", "bytes 0-1/8"],
    ["bytes=7-", 206, "\n", "bytes 7-7/8"],
    ["bytes=-3", 206, "e\n", "bytes 5-7/8"],
    ["bytes=-100", 206, TEXT, "bytes 0-7/8"],
    ["bytes=6-100", 206, "e\n", "bytes 6-7/8"],
    ["bytes=0-1,3-4", 200, TEXT, null],
    ["bytes=5-2", 200, TEXT, null],
    ["bytes=-", 200, TEXT, null],
    ["lines=1-2", 200, TEXT, null],
  ])("asked for %s is answered with %i", async (range, status, text, contentRange) => {
    const answer = await read("raw?path=README.md", { range });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const expected = range === "bytes=-3" ? Buffer.from(TEXT).subarray(-3) : Buffer.from(text);
    expect([answer.status, bytes, answer.headers.get("content-range")]).toEqual([status, expected, contentRange]);
    expect(answer.headers.get("content-length")).toBe(String(expected.length));
  });

  test.each([
    ["README.md", "bytes=8-", "bytes */8"],
    ["README.md", "bytes=-0", "bytes */8"],
    ["empty.txt", "bytes=0-", "bytes */0"],
  ])("%s has no %s", async (path, range, contentRange) => {
    const answer = await read(`raw?path=${path}`, { range });
    expect([answer.status, answer.headers.get("content-range")]).toEqual([416, contentRange]);
    expect(await answer.json()).toMatchObject({ code: "RANGE_NOT_SATISFIABLE" });
  });

  test("has its blob as entity tag, for 304 and If-Range", async () => {
    const etag = `"${TEXT_SHA}"`;
    expect((await read("raw?path=README.md")).headers.get("etag")).toBe(etag);
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = await read("raw?path=README.md", { "if-none-match": given, range: "bytes=0-1" });
      expect([answer.status, await answer.text()]).toEqual([304, ""]);
    }
    expect((await read("raw?path=README.md", { "if-none-match": '"other"' })).status).toBe(200);
    expect((await read("raw?path=README.md", { range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await read("raw?path=README.md", { range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
  });

  test.each([["README.md"], ["empty.txt"], ["large.bin"], ["almost.txt"]])(
    "%s answers HEAD as GET, without its bytes",
    async (path) => {
      const head = await read(`raw?path=${path}`, {}, "HEAD");
      const get = await read(`raw?path=${path}`);
      const described = ["content-length", "content-type", "etag", "content-disposition"];
      expect(described.map((name) => head.headers.get(name))).toEqual(described.map((name) => get.headers.get(name)));
      expect([head.status, await head.text()]).toEqual([200, ""]);
      expect((await get.arrayBuffer()).byteLength).toBe(Number(head.headers.get("content-length")));
    },
  );

  test.each([
    ["path=docs", 404, "is a folder; the tree route lists it"],
    ["path=", 404, "The root is a folder"],
    ["path=lib", 404, "submodule"],
    ["path=none", 404, "There is nothing at"],
  ])("is not had with %s", async (query, status, error) => {
    expect(await http.ask(`/v1/repos/copy/raw?${query}`)).toMatchObject({
      status,
      body: { code: "PATH_NOT_FOUND", error: expect.stringContaining(error) },
    });
  });

  test("is had by GET and HEAD only", async () => {
    const answer = await read("raw?path=README.md", {}, "DELETE");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("access", () => {
  const ROUTES = [
    "tree",
    "blob?path=README.md",
    "raw?path=README.md",
    `blob/${TEXT_SHA}`,
    "compare/main...main",
    "compare?base=main&head=main",
    "diff?base=main&head=main",
    `commits/${"0".repeat(40)}/diff`,
  ];

  test.each(ROUTES)("to %s takes a key", async (route) => {
    for (const headers of [{}, { "x-api-key": `${MASTER_KEY}x` }]) {
      expect(await http.ask(`/v1/repos/copy/${route}`, { headers })).toMatchObject({
        status: 401,
        body: { code: "UNAUTHORIZED" },
      });
    }
  });

  test("by a key for another repository finds none", async () => {
    const made = await http.ask("/v1/tokens", {
      method: "POST",
      body: { name: "other", scopes: { "repos:blank": ["read", "write"] } },
    });
    const headers = { "x-api-key": String(made.body.token) };
    expect(await http.ask("/v1/repos/blank/tree", { headers })).toMatchObject({ status: 200 });
    for (const route of ROUTES) {
      const hidden = await http.ask(`/v1/repos/copy/${route}`, { headers });
      const missing = await http.ask(`/v1/repos/none/${route}`);
      expect(hidden).toMatchObject({ status: 404, body: { code: "REPOSITORY_NOT_FOUND" } });
      expect({ ...missing.body, error: "" }).toEqual({ ...hidden.body, error: "" });
    }
  });

  test("by a key that may only read is enough", async () => {
    const made = await http.ask("/v1/tokens", { method: "POST", body: { name: "reader", scopes: { "repos:copy": ["read"] } } });
    const headers = { "x-api-key": String(made.body.token) };
    for (const route of ROUTES.slice(0, -1)) {
      expect([route, (await http.ask(`/v1/repos/copy/${route}`, { headers })).status]).toEqual([route, 200]);
    }
  });
});
