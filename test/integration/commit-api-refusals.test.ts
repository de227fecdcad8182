// What a commit through the API refuses: each answer is a 4xx that names the entry, and nothing is written.
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";

const AGENT = { name: "Agent", email: "agent@example.com" };
const ADDRESS = "/v1/repos/site/commits";
const SURROGATE = "\ud800";

let http: HttpWorld;
let head: unknown;

type Fields = Readonly<Record<string, unknown>>;

/** A body whose text is sent as it is. */
async function send(text: string | Buffer, headers: Record<string, string> = {}) {
  const body = new Uint8Array(Buffer.from(text));
  const all = { "x-api-key": MASTER_KEY, "content-type": "application/json", ...headers };
  const response = await fetch(`${http.url}${ADDRESS}`, { method: "POST", headers: all, body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const bodyOf = (changes: readonly unknown[], fields: Fields = {}): Fields => ({
  ...{ branch: "main", message: "Change", author: AGENT, changes },
  ...fields,
});
const commit = (changes: readonly unknown[], fields: Fields = {}) => send(JSON.stringify(bodyOf(changes, fields)));
const put = (path: string, content = "x"): Fields => ({ path, content });

beforeAll(async () => {
  http = await openHttpWorld();
  await http.world.database.query("INSERT INTO repositories (id, namespace, slug) VALUES ('repo_site', 'default', 'site')");
  const changes = [put("file", "one two one"), put("folder/inner"), { path: "binary", content: "//8A", encoding: "base64" }];
  head = (await commit(changes)).body.sha;
});

afterAll(async () => {
  await http[Symbol.asyncDispose]();
});

/** Nothing was written: neither a ref, nor a pack, nor a line in the reflog; and the server still answers. */
afterEach(async () => {
  const { rows } = await http.world.database.query(
    `SELECT (SELECT string_agg(name || ' ' || oid, ',') FROM refs) AS refs, (SELECT count(*) FROM packs) AS packs,
       (SELECT count(*) FROM reflog) AS moves`,
  );
  expect(rows).toEqual([{ refs: `refs/heads/main ${head}`, packs: 1, moves: 1 }]);
  expect((await http.ask(`${ADDRESS}?limit=1`)).status).toBe(200);
});

const PATHS: readonly (readonly [path: string, status: number])[] = [
  ["", 422],
  ["/absolute", 422],
  ["a//b", 422],
  ["a/", 422],
  [".", 422],
  ["..", 422],
  ["a/../b", 422],
  ["a/..", 422],
  ["..\\a", 422],
  ["%2e%2e/a", 422],
  [".git", 422],
  [".git/config", 422],
  ["a/.GIT/hooks/x", 422],
  [".gIt", 422],
  ["git~1/x", 422],
  ["GIT~1", 422],
  [".git./x", 422],
  [".git /x", 422],
  [".git::$INDEX_ALLOCATION/x", 422],
  ["a\\.git\\x", 422],
  [".g\u200cit/x", 422],
  ["\ufeff.git", 422],
  ["%2egit/x", 422],
  ["a\0b", 422],
  ["a\nb", 422],
  ["a\rb", 422],
  ["a\tb", 422],
  ["a\u001bb", 422],
  ["a\u007fb", 422],
  ["a\u0090b", 422],
  [`a${SURROGATE}`, 422],
  ["x".repeat(4097), 422],
  [`${"ä".repeat(2048)}x`, 422],
];

/** Each way to write the same text in JSON. */
const SPELLINGS: readonly (readonly [name: string, spell: (text: string) => string])[] = [
  ["as it is", (text) => JSON.stringify(text)],
  [
    "escaped",
    (text) =>
      `"${text
        .split("")
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join("")}"`,
  ],
];

describe("a path", () => {
  test.each(SPELLINGS)("that is refused is refused in every action and encoding, spelled %s", async (_name, spell) => {
    for (const [path, status] of PATHS) {
      const entries = [
        `{"path":${spell(path)},"content":"x"}`,
        `{"path":${spell(path)},"content":"eA==","encoding":"base64"}`,
        `{"path":${spell(path)},"action":"delete"}`,
        `{"path":${spell(path)},"action":"create","content":""}`,
        `{"path":${spell(path)},"action":"edit","edits":[{"old_string":"a","new_string":"b"}]}`,
        `{"path":"file","action":"rename","new_path":${spell(path)}}`,
      ];
      for (const entry of entries) {
        const answer = await send(JSON.stringify(bodyOf([put("first"), "@"])).replace('"@"', () => entry));
        const named = entry.includes("rename") ? "file" : expect.any(String);
        expect({ path, entry, ...answer }).toMatchObject({
          status,
          body: { code: "PATH_REFUSED", field: "changes[1]", path: named },
        });
      }
    }
  });
});

const CHANGES: readonly (readonly [what: string, changes: readonly unknown[], status: number, field: string])[] = [
  ["a file that another entry needs as a folder", [put("a/b"), put("a")], 400, "changes[0]"],
  ["the same the other way round", [put("a"), put("a/b/c")], 400, "changes[1]"],
  ["a rename below a file", [put("a"), { path: "file", action: "rename", new_path: "a/b" }], 400, "changes[1]"],
  ["a path twice", [put("a"), put("b"), put("a")], 400, "changes[2]"],
  ["a path that is renamed and written", [{ path: "file", action: "rename", new_path: "b" }, put("file")], 400, "changes[1]"],
  ["a path that two are renamed to", [{ path: "file", action: "rename", new_path: "b" }, put("b")], 400, "changes[1]"],
  ["a file below a file that is there", [put("x"), put("file/below")], 422, "changes[1]"],
  ["a file in place of a folder", [put("folder")], 422, "changes[0]"],
  ["the deletion of what is not there", [put("x"), { path: "none", action: "delete" }], 422, "changes[1]"],
  ["the deletion of what is below a file", [{ path: "file/none", action: "delete" }], 422, "changes[0]"],
  ["the deletion of a folder", [{ path: "folder", action: "delete" }], 422, "changes[0]"],
  ["the renaming of what is not there", [{ path: "none", action: "rename", new_path: "b" }], 422, "changes[0]"],
  ["a rename to what is there", [{ path: "file", action: "rename", new_path: "folder/inner" }], 422, "changes[0]"],
  ["a rename to itself", [{ path: "file", action: "rename", new_path: "file" }], 400, "changes[0]"],
  ["the creation of what is there", [{ path: "file", action: "create", content: "" }], 422, "changes[0]"],
  ["an edit of what is not there", [edit("none", "a")], 422, "changes[0]"],
  ["an edit whose text is not there", [edit("file", "three")], 422, "changes[0]"],
  ["an edit whose text is there twice", [edit("file", "one")], 422, "changes[0]"],
  ["an edit of nothing", [edit("file", "")], 400, "changes[0]"],
  ["an edit with a lone surrogate", [edit("file", SURROGATE)], 400, "changes[0]"],
  ["an edit without edits", [{ path: "file", action: "edit", edits: [] }], 400, "changes[0].edits"],
  ["an edit without a list", [{ path: "file", action: "edit" }], 400, "changes[0]"],
  ["a write without content", [put("x"), { path: "a" }], 400, "changes[1]"],
  ["a rename without a new path", [{ path: "file", action: "rename" }], 400, "changes[0]"],
  ["a deletion with content", [{ path: "file", action: "delete", content: "x" }], 400, "changes[0]"],
  ["an unknown action", [{ path: "file", action: "chmod" }], 400, "changes[0].action"],
  ["an unknown field", [{ path: "file", contents: "x" }], 400, "changes[0].contents"],
  ["an unknown encoding", [{ ...put("a"), encoding: "latin1" }], 400, "changes[0].encoding"],
  ["an unknown mode", [{ ...put("a"), mode: "100600" }], 400, "changes[0].mode"],
  ["a mode of a submodule", [{ ...put("a"), mode: "160000" }], 400, "changes[0].mode"],
  ["a path that is no text", [{ path: 1, content: "x" }], 400, "changes[0].path"],
  ["a path that is a list", [{ path: ["a"], content: "x" }], 400, "changes[0].path"],
  ["content that is no text", [{ path: "a", content: { a: 1 } }], 400, "changes[0].content"],
  ["content that is null", [{ path: "a", content: null }], 400, "changes[0].content"],
  ["an entry that is no object", ["a"], 400, "changes[0]"],
  ["content with a lone surrogate", [put("a", `x${SURROGATE}`)], 400, "changes[0]"],
  ["a symbolic link to nothing", [{ ...put("a", ""), mode: "120000" }], 422, "changes[0]"],
  ["a .gitmodules that is a link", [{ ...put(".gitmodules"), mode: "120000" }], 422, "changes[0]"],
  ["a .gitmodules with an option as URL", [put(".gitmodules", '[submodule "a"]\n\turl = -x\n')], 422, "changes[0]"],
  ["a .gitattributes with an endless line", [put(".gitattributes", "x".repeat(3000))], 422, "changes[0]"],
  ...["eA=", "eA", "e A==", "eA==\n", "eA==eA==", "e-_=", "eB==", "\u00e4", "====", "=", SURROGATE].map(
    (text) =>
      [
        `base64 that is none: ${JSON.stringify(text)}`,
        [{ path: "a", content: text, encoding: "base64" }],
        400,
        "changes[0]",
      ] as const,
  ),
];

function edit(path: string, old_string: string): Fields {
  return { path, action: "edit", edits: [{ old_string, new_string: "new" }] };
}

describe("changes with", () => {
  test.each(CHANGES)("%s are refused", async (_what, changes, status, field) => {
    const answer = await commit(changes);
    expect(answer).toMatchObject({ status, body: { field, error: expect.stringContaining(field) } });
    // The entry is named by its path as well, where it has one.
    const entry = changes[Number(/\d+/.exec(field)?.[0])] as { readonly path?: unknown };
    if (typeof entry.path === "string") expect(answer.body).toMatchObject({ path: expect.any(String) });
  });

  test("more entries than 1,000 are refused", async () => {
    const changes = Array.from({ length: 1_001 }, (_, index) => put(`f${index}`));
    expect(await commit(changes)).toMatchObject({ status: 413, body: { code: "COMMIT_TOO_LARGE", field: "changes" } });
  });

  test.each(["utf-8", "base64"] as const)("a file of 10 MiB and one byte in %s are refused, and named", async (encoding) => {
    const bytes = Buffer.alloc(10_485_761, "a");
    const content = bytes.toString(encoding === "base64" ? "base64" : "latin1");
    const answer = await commit([put("small"), { path: "large/file", content, encoding }]);
    expect(answer).toMatchObject({ status: 413, body: { code: "COMMIT_TOO_LARGE", field: "changes[1]", path: "large/file" } });
  });

  test("an edit that makes a file larger than 10 MiB are refused", async () => {
    const edits = [{ old_string: "two", new_string: "a".repeat(10_485_760) }];
    const answer = await commit([{ path: "file", action: "edit", edits }]);
    expect(answer).toMatchObject({ status: 413, body: { code: "COMMIT_TOO_LARGE", path: "file" } });
  });
});

const FIELDS: readonly (readonly [what: string, fields: Fields, status: number, field: string | null])[] = [
  ["no branch", { branch: undefined }, 400, "branch"],
  ["a branch that is none", { branch: "a..b" }, 400, "branch"],
  ["a branch like an option", { branch: "-x" }, 400, "branch"],
  ["a branch like an object id", { branch: "a".repeat(40) }, 400, "branch"],
  ["a branch called HEAD", { branch: "HEAD" }, 400, "branch"],
  ["a branch with a lone surrogate", { branch: SURROGATE }, 400, "branch"],
  ["no message", { message: undefined }, 400, "message"],
  ["an empty message", { message: " \n" }, 400, "message"],
  ["a message with NUL", { message: "a\0b" }, 400, "message"],
  ["a message with a lone surrogate", { message: SURROGATE }, 400, "message"],
  ["a message without end", { message: "x".repeat(65_537) }, 400, "message"],
  ["no author", { author: undefined }, 400, "author"],
  ["an author that is a text", { author: "Agent <agent@example.com>" }, 400, "author"],
  ["an author without email", { author: { name: "Agent" } }, 400, "author.email"],
  ["an author with an empty name", { author: { ...AGENT, name: "" } }, 400, "author"],
  ["an author with a line break", { author: { ...AGENT, name: "A\nparent x" } }, 400, "author"],
  ["an author with an angle", { author: { ...AGENT, email: "a@b> 0 +0000" } }, 400, "author"],
  ["an author with NUL", { author: { ...AGENT, name: "a\0" } }, 400, "author"],
  ["an author with a lone surrogate", { author: { ...AGENT, name: SURROGATE } }, 400, "author"],
  ["an author with a date that is none", { author: { ...AGENT, date: "yesterday" } }, 400, "author.date"],
  ["an author before git's time", { author: { ...AGENT, date: "1969-12-31T00:00:00Z" } }, 400, "author.date"],
  ["a bad committer", { committer: { name: "x" } }, 400, "committer.email"],
  ["a parent_sha that is none", { parent_sha: "abc123" }, 400, "parent_sha"],
  ["a parent_sha that is no text", { parent_sha: 1 }, 400, "parent_sha"],
  ["changes that are no list", { changes: { path: "a" } }, 400, "changes"],
  ["no changes", { changes: undefined }, 400, "changes"],
  ["an unknown field", { force: true }, 400, "force"],
  ["allow_empty that is no truth", { allow_empty: "true" }, 400, "allow_empty"],
  ["a base branch that is not there", { branch: "new", base_branch: "none" }, 404, "base_branch"],
  ["another parent", { parent_sha: "0".repeat(40) }, 409, null],
  ["a parent of a branch that is not there", { branch: "none", parent_sha: "1".repeat(40) }, 409, null],
];

describe("a commit with", () => {
  test.each(FIELDS)("%s is refused", async (_what, fields, status, field) => {
    expect(await commit([put("a")], fields)).toMatchObject({ status, body: field === null ? {} : { field } });
  });
});

const GOOD = JSON.stringify(bodyOf([put("a")]));
const BODIES: readonly (readonly [what: string, body: string | Buffer, status: number])[] = [
  ["nothing", "", 400],
  ["no JSON", "branch=main", 400],
  ["a list", "[]", 400],
  ["null", "null", 400],
  ["a text", '"x"', 400],
  ["the beginning of a commit", GOOD.slice(0, -1), 400],
  ["a commit cut off in a text", GOOD.slice(0, GOOD.indexOf("Change") + 3), 400],
  ["a commit and more", `${GOOD}{}`, 400],
  ["a key twice", GOOD.replace('"message"', '"branch":"other","message"'), 400],
  ["a key twice, once escaped", GOOD.replace('"message"', '"\\u0062ranch":"other","message"'), 400],
  ["a key twice in an entry", GOOD.replace('"content"', '"path":"b","content"'), 400],
  ["__proto__", GOOD.replace('"message"', '"__proto__":{},"message"'), 400],
  ["too many levels", GOOD.replace('"x"', `${"[".repeat(100_000)}${"]".repeat(100_000)}`), 400],
  ["too many parts", GOOD.replace('"x"', `[${"1,".repeat(400_000)}1]`), 400],
  ["bytes that are not UTF-8", Buffer.from(GOOD.replace("Change", "\xff"), "latin1"), 400],
  ["a raw control character", GOOD.replace("Change", "\u0001"), 400],
  ["more than 64 MiB", Buffer.alloc(64 * 1024 * 1024 + 1, " "), 413],
];

describe("a body with", () => {
  test.each(BODIES)("%s is refused", async (_what, body, status) => {
    expect(await send(body)).toMatchObject({ status, body: { error: expect.any(String) } });
  });

  test("another content type is refused", async () => {
    expect(await send(GOOD, { "content-type": "text/plain" })).toMatchObject({ status: 415 });
  });

  test.each([
    ["cut off by a client that goes away", (text: string) => text.slice(0, -10), `content-length: ${GOOD.length}`],
    ["in chunks that never end", (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`, "transfer-encoding: chunked"],
  ])("%s is not a commit", async (_what, cut, header) => {
    const socket = connect(Number(new URL(http.url).port), "127.0.0.1");
    await once(socket, "connect");
    const lines = [`POST ${ADDRESS} HTTP/1.1`, "host: x", `x-api-key: ${MASTER_KEY}`, "content-type: application/json", header];
    socket.end(`${lines.join("\r\n")}\r\n\r\n${cut(GOOD)}`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).not.toContain(" 201 ");
  });
});
