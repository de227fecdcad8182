import { describe, expect, test } from "vitest";
import { FIELD_CASES } from "../../test/support/field-cases.ts";
import { describeIssues } from "./issue.ts";
import { checkUpdate, type ParsedResource, parseResource } from "./parse-resource.ts";

const head = { apiVersion: "coregit.dev/v1alpha1", kind: "RepoSync", metadata: { name: "website" } };

function issuesOf(parsed: ParsedResource) {
  return parsed.ok ? [] : parsed.issues.map(({ field, message }) => `${field} ${message}`);
}

function parsed(document: unknown) {
  const result = parseResource(document);
  if (!result.ok) throw new Error(describeIssues(result.issues));
  return result.resource;
}

describe("the rules of fields", () => {
  test.each(FIELD_CASES)("$title", ({ kind, name, spec, refused }) => {
    const result = parseResource({ apiVersion: "coregit.dev/v1alpha1", kind, metadata: { name: name ?? "x" }, spec });
    if (refused === null) return expect(issuesOf(result)).toEqual([]);
    expect(result.ok).toBe(false);
    const issues = result.ok ? [] : result.issues;
    expect(new Set(issues.map(({ field }) => field))).toEqual(new Set([refused.field]));
    expect(issues.map(({ message }) => message).join("; ")).toContain(refused.message);
  });
});

test("a resource gets its defaults", () => {
  expect(parsed({ ...head, spec: { remote: "octocat/website" } })).toEqual({
    ...head,
    spec: {
      remote: "octocat/website",
      direction: "import",
      autoSync: true,
      interval: "5m",
      timeout: "10m",
      suspend: false,
      onDivergence: "Merge",
      mode: "Apply",
      transport: "auto",
    },
  });
});

describe("a document that is no resource is refused by its field", () => {
  test.each([
    ["a text", "hello", ["", "must be a mapping"]],
    ["a list", [], ["", "must be a mapping"]],
    ["another group", { ...head, apiVersion: "v1" }, ["apiVersion", "must be coregit.dev/v1alpha1"]],
    ["a misspelt kind", { ...head, kind: "Reposync" }, ["kind", "did you mean RepoSync?"]],
    ["an unknown kind", { ...head, kind: "toString" }, ["kind", "must be one of RepoSync, Connection, Repository"]],
    ["no spec", head, ["spec", "is required"]],
    ["no remote", { ...head, spec: {} }, ["spec.remote", "is required"]],
    ["no name", { ...head, metadata: {}, spec: { remote: "a/b" } }, ["metadata.name", "is required"]],
    ["an invalid name", { ...head, metadata: { name: "A_b" }, spec: { remote: "a/b" } }, ["metadata.name", "must be lower-case"]],
    [
      "an invalid namespace",
      { ...head, metadata: { name: "a", namespace: "x.y" }, spec: { remote: "a/b" } },
      ["metadata.namespace", "must be at most 63"],
    ],
    ["a misspelt field", { ...head, spec: { remote: "a/b", intervall: "5m" } }, ["spec.intervall", "did you mean interval?"]],
    [
      "an unknown field below a field",
      { ...head, spec: { remote: "a/b", connectionRef: { name: "x", namespace: "y" } } },
      ["spec.connectionRef.namespace", "is not a field"],
    ],
    ["a wrong type", { ...head, spec: { remote: "a/b", suspend: "yes" } }, ["spec.suspend", "must be true or false"]],
    ["a wrong choice", { ...head, spec: { remote: "a/b", direction: "both" } }, ["spec.direction", "must be import or export"]],
    ["a number for a text", { ...head, spec: { remote: 5 } }, ["spec.remote", "must be a text"]],
    ["too long a text", { ...head, spec: { remote: "a".repeat(3000) } }, ["spec.remote", "must have at most 2048 characters"]],
    [
      "too long a list",
      { ...head, spec: { remote: "a/b", include: Array(101).fill("x") } },
      ["spec.include", "at most 100 entries"],
    ],
  ] as const)("%s", (_, document, [field, message]) => {
    const result = parseResource(document);
    expect(result).toMatchObject({ ok: false, issues: [{ field, message: expect.stringContaining(message) }] });
  });
});

test("every issue of a document is reported at once", () => {
  const spec = { remote: "a b", direction: "up", branch: "a..b", x: 1 };
  expect(issuesOf(parseResource({ ...head, spec }))).toHaveLength(4);
});

test("what a newer API server lets through is dropped, not refused", () => {
  const document = { ...head, spec: { remote: "a/b", novelty: 1, connectionRef: { name: "x", novelty: 2 } } };
  expect(parseResource(document, { unknownFields: "drop" })).toMatchObject({
    ok: true,
    resource: { spec: { remote: "a/b", connectionRef: { name: "x" } } },
  });
});

test("a status that does not fit is left out", () => {
  expect(parsed({ ...head, spec: { remote: "a/b" }, status: { conditions: "none" } }).status).toBeUndefined();
});

describe("what an update must not change", () => {
  const sync = (spec: object, name = "website") => parsed({ ...head, metadata: { name }, spec: { remote: "a/b", ...spec } });
  test("the repository of a sync", () => {
    expect(checkUpdate(sync({}), sync({ repository: "other" }))).toMatchObject([{ field: "spec.repository" }]);
  });
  test("naming the repository that was the default is no change", () => {
    expect(checkUpdate(sync({}), sync({ repository: "website" }))).toEqual([]);
  });
  test("direction, branch and remote may change", () => {
    expect(checkUpdate(sync({}), sync({ direction: "export", branch: "x", remote: "c/d" }))).toEqual([]);
  });
  test("the provider of a connection", () => {
    const connection = (provider: string) =>
      parsed({ ...head, kind: "Connection", spec: { provider, secretRef: { name: "token" } } });
    expect(checkUpdate(connection("github"), connection("gitlab"))).toMatchObject([{ field: "spec.provider" }]);
  });
});
