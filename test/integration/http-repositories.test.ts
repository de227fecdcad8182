// Repositories by the API: made, shown, changed and removed.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpAnswer, type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { commitHere } from "../support/local-commit.ts";
import { QUIET_SPEC } from "../support/quiet-spec.ts";

const SHA = expect.stringMatching(/^[0-9a-f]{40}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let http: HttpWorld;

beforeAll(async () => {
  http = await openHttpWorld();
});
afterAll(() => http[Symbol.asyncDispose]());

const create = (body: unknown) => http.ask("/v1/repos", { method: "POST", body });
const change = (name: string, body: unknown) => http.ask(`/v1/repos/${name}`, { method: "PATCH", body });
const remove = (name: string) => http.ask(`/v1/repos/${name}`, { method: "DELETE" });
const codeOf = ({ status, body }: HttpAnswer) => [status, body.code];

describe("a repository", () => {
  test("is made empty, with the defaults", async () => {
    const { status, body } = await create({ slug: "plain" });
    const shown = {
      id: expect.stringMatching(/^repo_/),
      namespace: "default",
      slug: "plain",
      description: "",
      visibility: "private",
      default_branch: "main",
      protected_branches: [],
      managed_by: null,
      head_sha: null,
      size_bytes: 0,
      created_at: TIME,
    };
    expect([status, body]).toEqual([201, shown]);
    expect((await http.ask("/v1/repos/default/plain")).body).toEqual(body);
    expect((await http.ask("/v1/repos/plain/branches")).body).toEqual({
      branches: [],
      default_branch: "main",
      next_cursor: null,
    });
  });

  test("begins with a README when asked, and git can clone it", async () => {
    const description = "Über 'alles'; DROP TABLE repositories; 🚀";
    const { status, body } = await create({ slug: "begun", default_branch: "trunk", description, init: true });
    expect([status, body]).toMatchObject([201, { head_sha: SHA, description }]);
    const { commits } = (await http.ask("/v1/repos/begun/commits")).body;
    expect(commits).toMatchObject([{ sha: body.head_sha, message: "Initial commit", parents: [] }]);
    expect(await http.world.git(["show", "trunk:README.md"], "begun")).toBe(`# begun\n\n${description}`);
    const { rows } = await http.world.database.query("SELECT ref, actor, reason FROM reflog WHERE repository_id = $1", [body.id]);
    expect(rows).toEqual([{ ref: "refs/heads/trunk", actor: "master", reason: "create the repository" }]);
  });

  test("is of its namespace", async () => {
    await create({ slug: "twice", namespace: "one" });
    expect((await create({ slug: "twice", namespace: "two" })).status).toBe(201);
    expect(codeOf(await create({ slug: "twice", namespace: "two" }))).toEqual([409, "REPOSITORY_EXISTS"]);
    expect(codeOf(await http.ask("/v1/repos/twice"))).toEqual([404, "REPOSITORY_NOT_FOUND"]);
    expect((await http.ask("/v1/repos?namespace=two")).body.repositories).toMatchObject([{ namespace: "two", slug: "twice" }]);
  });

  test("is made once when many ask at once", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create({ slug: "race", init: true })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });

  test.each([
    ["no slug", {}, "slug"],
    ["an upper-case slug", { slug: "Big" }, "slug"],
    ["a slug with a slash", { slug: "a/b" }, "slug"],
    ["a slug that is a path", { slug: ".." }, "slug"],
    ["a slug that ends in .git", { slug: "a.git" }, "slug"],
    ["a slug with a quote", { slug: "a'--" }, "slug"],
    ["a slug in other letters", { slug: "реpo" }, "slug"],
    ["a slug that is too long", { slug: "a".repeat(101) }, "slug"],
    ["a namespace that is none", { slug: "a", namespace: "A/B" }, "namespace"],
    ["a NUL in the description", { slug: "a", description: "a\0b" }, "description"],
    ["half a character in the description", { slug: "a", description: "\ud83d" }, "description"],
    ["a description that is too long", { slug: "a", description: "x".repeat(1025) }, "description"],
    ["an unknown visibility", { slug: "a", visibility: "internal" }, "visibility"],
    ["a default branch that git refuses", { slug: "a", default_branch: "a..b" }, "default_branch"],
    ["a default branch with a NUL", { slug: "a", default_branch: "a\0" }, "default_branch"],
    ["an unknown field", { slug: "a", visibilty: "public" }, "visibilty"],
    ["a wrong type", { slug: "a", init: "yes" }, "init"],
  ])("is not made with %s", async (_, body, field) => {
    expect(await create(body)).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST", field } });
  });

  test.each(["blob", "branches", "commits", "compare", "diff", "raw", "refs", "sync", "syncs", "tags", "tree"])(
    "is not called %s, a word of the API",
    async (slug) => {
      expect(await create({ slug })).toMatchObject({ status: 400, body: { field: "slug" } });
      expect(await create({ slug, namespace: "team" })).toMatchObject({ status: 400, body: { field: "slug" } });
    },
  );
});

describe("a change of a repository", () => {
  test("touches only the fields that it names", async () => {
    await create({ slug: "edit", description: "before", init: true });
    expect(await change("edit", { visibility: "public" })).toMatchObject({
      status: 200,
      body: { visibility: "public", description: "before", default_branch: "main" },
    });
    expect((await change("default/edit", { description: "" })).body).toMatchObject({ description: "", visibility: "public" });
    expect((await change("edit", {})).status).toBe(200);
  });

  test("of the default branch needs the branch to be there, and clones follow it", async () => {
    const { body } = await create({ slug: "heads", init: true });
    expect(await change("heads", { default_branch: "other" })).toMatchObject({
      status: 404,
      body: { code: "REF_NOT_FOUND", field: "default_branch" },
    });
    await http.ask("/v1/repos/heads/branches", { method: "POST", body: { name: "other" } });
    expect((await change("heads", { default_branch: "other" })).body).toMatchObject({
      default_branch: "other",
      head_sha: body.head_sha,
    });
    expect(await http.world.git(["symbolic-ref", "HEAD"], "heads")).toBe("refs/heads/other");
    await create({ slug: "blank" });
    expect((await change("blank", { default_branch: "to-come" })).body).toMatchObject({ default_branch: "to-come" });
  });

  test.each([
    ["a slug", { slug: "new" }],
    ["a branch that git refuses", { default_branch: "-x" }],
    ["a description of the wrong type", { description: null }],
  ])("is refused with %s", async (_, body) => {
    expect(codeOf(await change("plain", body))).toEqual([400, "INVALID_REQUEST"]);
  });

  test("of one that is not there is a miss", async () => {
    expect(codeOf(await change("nothing", {}))).toEqual([404, "REPOSITORY_NOT_FOUND"]);
  });
});

describe("a removed repository", () => {
  test("is gone with its objects, and its name is free", async () => {
    const { body } = await create({ slug: "gone", init: true });
    await http.ask("/v1/repos/gone/commits");
    expect(await remove("gone")).toMatchObject({ status: 200, body: { deleted: true } });
    expect(codeOf(await http.ask("/v1/repos/gone"))).toEqual([404, "REPOSITORY_NOT_FOUND"]);
    expect(codeOf(await remove("gone"))).toEqual([404, "REPOSITORY_NOT_FOUND"]);
    const { rows } = await http.world.database.query("SELECT id FROM packs WHERE repository_id = $1", [body.id]);
    expect(rows).toEqual([]);
    expect((await create({ slug: "gone" })).body).toMatchObject({ head_sha: null });
  });

  test("was not declared by a resource or a file", async () => {
    const declared = {
      namespace: "default",
      defaultBranch: "main",
      protectedBranches: [],
      description: "",
      visibility: "private",
      deletionPolicy: "Retain",
    } as const;
    for (const [kind, slug] of [
      ["resource", "by-resource"],
      ["file", "by-file"],
    ] as const) {
      await http.world.declarations.declareRepository({ ...declared, slug, owner: { kind, ref: slug } });
      const owner = `${kind === "file" ? "manifest " : ""}Repository default/${slug}`;
      for (const answer of [await remove(slug), await change(slug, { description: "x" })]) {
        expect(answer).toMatchObject({ status: 409, body: { code: "MANAGED", managed_by: owner } });
      }
    }
  });

  test("was in use by no sync that somebody declared, and by none of the API's unless they go too", async () => {
    await create({ slug: "used" });
    const sync = await http.world.declarations.declareSync({
      owner: { kind: "api", ref: "" },
      ...{ namespace: "default", name: "api-sync", repository: "used", connection: null },
      spec: { ...QUIET_SPEC, remote: "https://git.example/a.git" },
    });
    expect(await remove("used")).toMatchObject({ status: 409, body: { code: "REPOSITORY_IN_USE", syncs: [sync.id] } });
    await http.world.declare("https://git.example/b.git", {}, "used");
    expect(await remove("used?cascade=true")).toMatchObject({
      status: 409,
      body: { code: "MANAGED", managed_by: "RepoSync default/used" },
    });
    await http.world.declarations.withdrawSync({ kind: "resource", ref: "uid-used" }, "default", "used");
    expect((await remove("used?cascade=true")).status).toBe(200);
    expect(await http.world.declarations.readSync(sync.id)).toBeNull();
  });

  test("keeps its rows when it cannot be removed", async () => {
    expect((await remove("plain?cascade=maybe")).status).toBe(400);
    await create({ slug: "kept", init: true });
    const head = await commitHere(http.world.store, await http.world.repository("kept"), { "a.txt": "a" });
    expect((await http.ask("/v1/repos/kept")).body).toMatchObject({ head_sha: head });
  });
});

test.each([
  ["POST", "/v1/repos"],
  ["PATCH", "/v1/repos/plain"],
  ["DELETE", "/v1/repos/plain"],
  ["GET", "/v1/repos/plain/branches"],
  ["POST", "/v1/repos/plain/tags"],
  ["PUT", "/v1/repos/plain/refs/heads/main"],
  ["GET", "/v1/tokens"],
])("%s %s needs a key", async (method, path) => {
  expect(codeOf(await http.ask(path, { method, headers: {} }))).toEqual([401, "UNAUTHORIZED"]);
});
