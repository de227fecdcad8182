// The judges of compatibility: they find what they are there to find, and let everything else pass.
import { describe, expect, test } from "vitest";
import { contractingStatements } from "../../scripts/compatibility/contracting-statements.ts";
import { breakingChanges, type Schema } from "../../scripts/compatibility/crd-changes.ts";

const SPEC: Schema = {
  type: "object",
  required: ["remote"],
  properties: {
    remote: { type: "string", maxLength: 100, minLength: 1 },
    mode: { type: "string", enum: ["Apply", "Plan"], default: "Apply" },
    paths: { type: "array", maxItems: 5, items: { type: "string", maxLength: 10 } },
    limit: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
    note: { type: "string", pattern: "^a", nullable: true },
  },
  "x-kubernetes-validations": [{ rule: "self.a", message: "a" }],
};

function crd(spec: Schema, more: { readonly names?: Schema; readonly version?: Schema } = {}): Schema {
  const schema = { openAPIV3Schema: { type: "object", properties: { spec } } };
  const version = { name: "v1alpha1", served: true, storage: true, schema, ...more.version };
  const names = { kind: "Thing", plural: "things", shortNames: ["th"], ...more.names };
  return { spec: { group: "example.com", scope: "Namespaced", names, versions: [version] } };
}

const withField = (name: string, schema: Schema | null): Schema => {
  const { [name]: _, ...others } = SPEC.properties as Record<string, Schema>;
  return { ...SPEC, properties: schema === null ? others : { ...others, [name]: schema } };
};

const changesTo = (spec: Schema) => breakingChanges(crd(SPEC), crd(spec));

describe("a CRD", () => {
  test.each<[string, Schema, string]>([
    ["a field that is gone", withField("note", null), ".spec.note: removed"],
    ["another type", withField("note", { type: "integer", nullable: true }), ".spec.note: type changed"],
    [
      "a value that is gone",
      withField("mode", { type: "string", enum: ["Apply"], default: "Apply" }),
      ".spec.mode: the value Plan is gone",
    ],
    [
      "a choice where there was none",
      withField("remote", { type: "string", maxLength: 100, minLength: 1, enum: ["x"] }),
      ".spec.remote: enum added",
    ],
    ["a shorter text", withField("remote", { type: "string", maxLength: 99, minLength: 1 }), ".spec.remote: maxLength lowered"],
    [
      "a longer least length",
      withField("remote", { type: "string", maxLength: 100, minLength: 2 }),
      ".spec.remote: minLength raised",
    ],
    [
      "a limit where there was none",
      withField("note", { type: "string", pattern: "^a", nullable: true, maxLength: 9 }),
      ".spec.note: maxLength lowered",
    ],
    [
      "a limit of what is in a list",
      withField("paths", { type: "array", maxItems: 5, items: { type: "string", maxLength: 9 } }),
      ".spec.paths[]: maxLength lowered",
    ],
    ["another pattern", withField("note", { type: "string", pattern: "^b", nullable: true }), ".spec.note: pattern changed"],
    ["null no more", withField("note", { type: "string", pattern: "^a" }), ".spec.note: no longer nullable"],
    [
      "another default",
      withField("mode", { type: "string", enum: ["Apply", "Plan"], default: "Plan" }),
      ".spec.mode: default changed",
    ],
    [
      "a choice of types that narrowed",
      withField("limit", { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }] }),
      ".spec.limit: anyOf changed",
    ],
    ["a field that is now required", { ...SPEC, required: ["remote", "mode"] }, ".spec: mode is now required"],
    ["a new rule", { ...SPEC, "x-kubernetes-validations": [{ rule: "self.a" }, { rule: "self.b" }] }, ".spec: new rule self.b"],
  ])("breaks by %s", (_, spec, change) => {
    expect(changesTo(spec)).toEqual([change]);
  });

  test.each<[string, Schema]>([
    ["nothing", SPEC],
    ["a new optional field", withField("extra", { type: "string" })],
    ["a new value", withField("mode", { type: "string", enum: ["Apply", "Plan", "Ask"], default: "Apply" })],
    ["wider limits", withField("remote", { type: "string", maxLength: 200 })],
    ["a pattern that is gone", withField("note", { type: "string", nullable: true })],
    ["a field that is no longer required", { ...SPEC, required: [] }],
    [
      "a rule that is gone, or tells it in other words",
      { ...SPEC, "x-kubernetes-validations": [{ rule: "self.a", message: "b" }] },
    ],
  ])("does not break by %s", (_, spec) => {
    expect(changesTo(spec)).toEqual([]);
  });

  test("breaks by names and versions that are gone", () => {
    expect(breakingChanges(crd(SPEC), crd(SPEC, { names: { shortNames: ["other"], plural: "thing" } }))).toEqual([
      "names.plural changed",
      "names.shortNames changed",
    ]);
    expect(breakingChanges(crd(SPEC), crd(SPEC, { version: { name: "v1" } }))).toEqual(["v1alpha1 removed"]);
    expect(breakingChanges(crd(SPEC), crd(SPEC, { version: { served: false } }))).toEqual(["v1alpha1 no longer served"]);
  });
});

describe("a migration", () => {
  test.each([
    ["ALTER TABLE a DROP COLUMN b"],
    ["DROP TABLE a"],
    ["ALTER TABLE a RENAME COLUMN b TO c"],
    ["ALTER TABLE a ALTER COLUMN b TYPE bigint"],
    ["ALTER TABLE a ALTER COLUMN b SET NOT NULL"],
    ["ALTER TABLE a ALTER COLUMN b DROP DEFAULT"],
    ["ALTER TABLE a ADD COLUMN b text NOT NULL"],
    ["ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)"],
    ["CREATE UNIQUE INDEX c ON a (b)"],
    ["DELETE FROM a"],
    ["ALTER TABLE a DROP b"],
    ["ALTER TABLE a ALTER b TYPE bigint"],
    ["ALTER TABLE a ADD COLUMN b numeric(10, 2) NOT NULL"],
    ["CREATE UNIQUE INDEX IF NOT EXISTS c ON a (b)"],
    ["CREATE UNIQUE INDEX ON a (b)"],
  ])("contracts by %s", (sql) => {
    expect(contractingStatements(`CREATE TABLE other (id text);\n${sql};`)).toHaveLength(1);
  });

  test.each([
    ["CREATE TABLE a (b text NOT NULL)"],
    ["CREATE TABLE a (b text); CREATE UNIQUE INDEX c ON a (b)"],
    ["ALTER TABLE a ADD COLUMN b text"],
    ["ALTER TABLE a ADD b text NOT NULL DEFAULT now() + interval '14 days', ADD c text"],
    ["CREATE INDEX c ON a (b)"],
    ["ALTER TABLE a DROP CONSTRAINT c"],
    ["-- This will DROP TABLE a one day.\nSELECT 'DROP TABLE a'"],
  ])("expands by %s", (sql) => {
    expect(contractingStatements(`${sql};`)).toEqual([]);
  });
});
