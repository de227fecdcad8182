import { describe, expect, test } from "vitest";
import { describeProblem } from "./manifest.ts";
import { readManifestSet } from "./manifest-set.ts";

const sync = (name: string, spec = "remote: https://git.example/a.git") =>
  `apiVersion: coregit.dev/v1alpha1\nkind: RepoSync\nmetadata:\n  name: ${name}\nspec:\n  ${spec}\n`;

const read = (files: Readonly<Record<string, string>>) =>
  readManifestSet(Object.entries(files).map(([path, text]) => ({ path, text, error: null })));

const problemsOf = (files: Readonly<Record<string, string>>) => read(files).problems.map(describeProblem);

describe("a set of manifests", () => {
  test("declares every valid document of every file", () => {
    const { declared, problems } = read({ "a.yaml": `${sync("one")}---\n${sync("two")}`, "b.yml": sync("three") });
    expect([...declared.keys()]).toEqual(["RepoSync/default/one", "RepoSync/default/two", "RepoSync/default/three"]);
    expect(problems).toEqual([]);
    expect(declared.get("RepoSync/default/two")).toMatchObject({
      file: "a.yaml",
      line: 8,
      declaration: { name: "two", namespace: "default", owner: { kind: "file", ref: "RepoSync/default/two" } },
    });
  });

  test("takes the documents of a List", () => {
    const text =
      "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: coregit.dev/v1alpha1\n    kind: Repository\n    metadata: { name: app }\n    spec: {}\n";
    expect([...read({ "a.yaml": text }).declared.keys()]).toEqual(["Repository/default/app"]);
  });

  test("reports an invalid document with file, line and field, applies the others, and claims what it is about", () => {
    const files = { "a.yaml": `${sync("good")}---\n${sync("bad", "remote: [1]")}---\n${sync("fine")}` };
    expect(problemsOf(files)).toEqual([expect.stringMatching(/^a\.yaml:13: spec\.remote: must be a text/)]);
    const { declared, claimed, brokenFiles } = read(files);
    expect([...declared.keys()]).toEqual(["RepoSync/default/good", "RepoSync/default/fine"]);
    expect([...claimed]).toEqual(["RepoSync/default/bad"]);
    expect([...brokenFiles]).toEqual([]);
  });

  test("reports an unknown field at its own line", () => {
    expect(problemsOf({ "a.yaml": sync("a", "remote: x/y\n  intervall: 5m") })).toEqual([
      expect.stringMatching(/^a\.yaml:7: spec\.intervall: .*did you mean interval/),
    ]);
  });

  test("a file with a syntax error, an unreadable one, and one with a document about nothing are broken", () => {
    const set = readManifestSet([
      { path: "a.yaml", text: "a: [\n", error: null },
      { path: "b.yaml", text: null, error: "The file cannot be read (EACCES)." },
      { path: "c.yaml", text: "just text\n", error: null },
      { path: "d.yaml", text: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n", error: null },
    ]);
    expect([...set.brokenFiles]).toEqual(["a.yaml", "b.yaml", "c.yaml", "d.yaml"]);
    expect(set.problems.map(({ file }) => file)).toEqual(["a.yaml", "b.yaml", "c.yaml", "d.yaml"]);
  });

  test("declared twice: the first by file counts and the second is reported with the place of the first", () => {
    const files = { "a.yaml": sync("app", "remote: first/one"), "b.yaml": `\n${sync("app", "remote: second/one")}` };
    expect(problemsOf(files)).toEqual(["b.yaml:5: metadata.name: is declared already in a.yaml:1; this one is ignored."]);
    expect(read(files).declared.get("RepoSync/default/app")).toMatchObject({ declaration: { spec: { remote: "first/one" } } });
  });

  test("a connection takes its credential from the Secret of its namespace, in either notation, in any file", () => {
    const connection =
      "apiVersion: coregit.dev/v1alpha1\nkind: Connection\nmetadata: {name: c}\nspec: {provider: git, secretRef: {name: s}}\n";
    const secret = (body: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n${body}\n`;
    for (const body of ["stringData: {token: abc}", `data: {token: ${Buffer.from("abc").toString("base64")}}`]) {
      expect(read({ "a.yaml": connection, "z.yaml": secret(body) }).declared.get("Connection/default/c")).toMatchObject({
        declaration: { credential: { kind: "token", token: "abc" }, error: null },
      });
    }
    expect(read({ "a.yaml": connection }).declared.get("Connection/default/c")).toMatchObject({
      declaration: { credential: null, error: { code: "SecretMissing", message: "No manifest has the Secret default/s." } },
    });
  });

  test("a changed Secret changes the fingerprint of the connections that use it, and nothing else", () => {
    const text = (token: string) =>
      `apiVersion: coregit.dev/v1alpha1\nkind: Connection\nmetadata: {name: c}\nspec: {provider: git, secretRef: {name: s}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: ${token}}\n---\n${sync("app")}`;
    const [one, two] = [read({ "a.yaml": text("one") }), read({ "a.yaml": text("two") })];
    const fingerprint = (set: typeof one, key: string) => set.declared.get(key)?.fingerprint;
    expect(fingerprint(one, "Connection/default/c")).not.toBe(fingerprint(two, "Connection/default/c"));
    expect(fingerprint(one, "RepoSync/default/app")).toBe(fingerprint(two, "RepoSync/default/app"));
  });

  test("a connection whose Secret is in a broken document stays what it was", () => {
    const connection =
      "apiVersion: coregit.dev/v1alpha1\nkind: Connection\nmetadata: {name: c}\nspec: {provider: git, secretRef: {name: s}}\n";
    for (const broken of ["a: [", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {token: '!'}\n"]) {
      const { declared, claimed } = read({ "a.yaml": connection, "b.yaml": broken });
      expect([[...declared.keys()], claimed.has("Connection/default/c")]).toEqual([[], true]);
    }
  });

  test("a Secret with a wrong value is reported without showing it", () => {
    const files = { "a.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  token: not base64!\n" };
    expect(problemsOf(files)).toEqual(["a.yaml:6: data.token: must be base64."]);
  });
});
