// Values that a structural schema allows and nobody sane would write: the edges of every limit, and texts from the attics of
// Unicode, shells, SQL and git. Rules between fields are the API server's to judge.
import type { JsonSchema } from "../../src/resources/crd.ts";

type Random = () => number;

export const pick = <T>(random: Random, values: readonly T[]): T => {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error("nothing to pick from");
  return value;
};

const TEXTS = [
  "",
  " ",
  "null",
  "0",
  "a",
  "-rf",
  "--upload-pack=touch /tmp/x",
  "../../../etc/passwd",
  "$(id)",
  "`id`",
  "'; DROP TABLE syncs; --",
  "{{remote}}{{sha}}{{",
  "%00%2e%2e",
  ".git",
  ".GIT/config",
  "a\u0000b",
  "line\nbreak",
  "\u202egnirts",
  "Z\u0351\u036b\u0343a\u034al",
  "💣💥",
  "ﷺ",
  "İstanbul",
  "ẞ",
  "con",
  "constructor",
  "__proto__",
  "toString",
  "refs/heads/main",
  "HEAD",
  "main",
  "release/*",
  "**/*",
  "[a-",
  "{a,b",
  "!x",
  "docs",
] as const;

/** What often passes the rules of a field, by the field's name; `addresses` are URLs that may be asked. */
function likelyTexts(name: string, addresses: readonly string[]): readonly string[] {
  if (name === "remote" || name === "baseUrl") return addresses;
  if (name === "interval" || name === "timeout") return ["0s", "1s", "720h", "24h", "1h30m", "1.5h", "1000000ms", "00s"];
  if (/branch/i.test(name))
    return ["main", "a/b", "ünï", "💣", "x".repeat(244), "a.b", "-", "@", "{", "main~", "a\u00a0b", "MAIN"];
  if (/^(?:name|repository)$/.test(name)) return ["a", "a-b", "constructor", "x".repeat(253), "0", "a.b", "toString", "proto"];
  return TEXTS;
}

export type NonsenseOptions = { readonly random: Random; readonly addresses: readonly string[] };

/** A value of the schema. `name` is the field's. */
export function nonsense(schema: JsonSchema, options: NonsenseOptions, name = ""): unknown {
  const { random } = options;
  if (Array.isArray(schema.enum)) return pick(random, schema.enum);
  if (schema["x-kubernetes-int-or-string"] === true) return pick(random, [0, 1, 2 ** 31, "0%", "100%", "1%", "x", "-1"]);
  if (schema.type === "object") return someFields(schema, options);
  if (schema.type === "array") return someItems(schema, options, name);
  if (schema.type === "boolean") return random() < 0.5;
  if (schema.type === "integer" || schema.type === "number") return someNumber(schema, random);
  return someText(schema, options, name);
}

function someFields(schema: JsonSchema, options: NonsenseOptions): Record<string, unknown> {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>);
  const chosen = fields.filter(([name]) => required.includes(name) || options.random() < 0.2);
  return Object.fromEntries(chosen.map(([name, field]) => [name, nonsense(field, options, name)]));
}

function someItems(schema: JsonSchema, options: NonsenseOptions, name: string): unknown[] {
  const most = typeof schema.maxItems === "number" ? schema.maxItems : 3;
  const count = pick(options.random, [0, 1, 2, most]);
  return Array.from({ length: count }, () => nonsense(schema.items as JsonSchema, options, name));
}

function someNumber({ minimum, maximum }: JsonSchema, random: Random): number {
  const edges = [minimum, maximum, 0, 1].filter((value) => typeof value === "number");
  return pick(random, edges);
}

function someText({ minLength, maxLength }: JsonSchema, options: NonsenseOptions, name: string): string {
  const { random, addresses } = options;
  const longest = typeof maxLength === "number" ? maxLength : 100;
  const least = typeof minLength === "number" ? minLength : 0;
  const roll = random();
  if (roll < 0.05) return "x".repeat(longest);
  const text = pick(random, roll < 0.7 ? likelyTexts(name, addresses) : TEXTS);
  return [...text].slice(0, longest).join("").padEnd(least, "x");
}
