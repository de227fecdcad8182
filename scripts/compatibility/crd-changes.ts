// What a change of a CRD breaks: objects that were stored, clients that wrote or read them, and the previous release of the
// operator, which runs beside the new one during an upgrade and after a rollback. Widening is fine, narrowing is not.

export type Schema = { readonly [keyword: string]: unknown };

/** Keywords by which a value is limited from above, and from below. A limit that appears is as bad as one that moves. */
const UPPER = ["maxLength", "maxItems", "maxProperties", "maximum"];
const LOWER = ["minLength", "minItems", "minProperties", "minimum"];
/** Keywords of which nobody can tell whether another value is wider. */
const OPAQUE = ["type", "format", "pattern", "anyOf", "x-kubernetes-int-or-string", "x-kubernetes-list-type", "default"];
const OPAQUE_LIMITS = new Set(["format", "pattern", "anyOf"]);

/** Sentences, each beginning with the place; empty: whatever was valid stays valid and means the same. */
export function breakingChanges(before: Schema, after: Schema): string[] {
  const [old, now] = [specOf(before), specOf(after)];
  return [
    ...["group", "scope"].flatMap((field) => (old[field] === now[field] ? [] : [`${field} changed`])),
    ...namesLost(recordOf(old.names), recordOf(now.names)),
    ...listOf(old.versions).flatMap((version) => versionChanges(version, listOf(now.versions))),
  ];
}

function versionChanges(before: Schema, versions: readonly Schema[]): string[] {
  const name = String(before.name);
  const after = versions.find((each) => each.name === before.name);
  if (after === undefined) return [`${name} removed`];
  const lost = ["served", "storage"].filter((flag) => before[flag] === true && after[flag] !== true);
  const schemaOf = (version: Schema) => recordOf(recordOf(version.schema).openAPIV3Schema);
  return [
    ...lost.map((flag) => `${name} no longer ${flag === "served" ? "served" : "stored"}`),
    ...schemaChanges(schemaOf(before), schemaOf(after), ""),
  ];
}

function namesLost(before: Schema, after: Schema): string[] {
  const single = ["kind", "plural", "singular", "listKind"].filter((field) => before[field] !== after[field]);
  const several = ["shortNames", "categories"].filter((field) => missing(before[field], after[field]).length > 0);
  return [...single, ...several].map((field) => `names.${field} changed`);
}

function schemaChanges(before: Schema, after: Schema, place: string): string[] {
  const at = (text: string): string => `${place === "" ? "the object" : place}: ${text}`;
  return [
    ...OPAQUE.filter((keyword) => differs(before, after, keyword)).map((keyword) => at(`${keyword} changed`)),
    ...UPPER.filter((keyword) => numberOf(after, keyword, Infinity) < numberOf(before, keyword, Infinity)).map((keyword) =>
      at(`${keyword} lowered`),
    ),
    ...LOWER.filter((keyword) => numberOf(after, keyword, -Infinity) > numberOf(before, keyword, -Infinity)).map((keyword) =>
      at(`${keyword} raised`),
    ),
    ...enumChanges(before, after).map(at),
    ...(before.nullable === true && after.nullable !== true ? [at("no longer nullable")] : []),
    ...missing(after.required, before.required).map((name) => at(`${name} is now required`)),
    ...rulesAdded(before, after).map((rule) => at(`new rule ${rule}`)),
    ...below(before, after, place),
  ];
}

function below(before: Schema, after: Schema, place: string): string[] {
  const [old, now] = [recordOf(before.properties), recordOf(after.properties)];
  const fields = Object.entries(old).flatMap(([name, schema]) => {
    const path = `${place}.${name}`;
    return Object.hasOwn(now, name) ? schemaChanges(recordOf(schema), recordOf(now[name]), path) : [`${path}: removed`];
  });
  const items = before.items === undefined ? [] : schemaChanges(recordOf(before.items), recordOf(after.items), `${place}[]`);
  return [...fields, ...items];
}

/** A format, pattern or choice that is dropped widens; anything else that is not the same is taken for a break. */
function differs(before: Schema, after: Schema, keyword: string): boolean {
  if (OPAQUE_LIMITS.has(keyword) && after[keyword] === undefined) return false;
  return JSON.stringify(before[keyword]) !== JSON.stringify(after[keyword]);
}

function enumChanges(before: Schema, after: Schema): string[] {
  if (after.enum === undefined) return [];
  if (before.enum === undefined) return ["enum added"];
  return missing(before.enum, after.enum).map((value) => `the value ${value} is gone`);
}

function rulesAdded(before: Schema, after: Schema): string[] {
  const rulesOf = (schema: Schema) => listOf(schema["x-kubernetes-validations"]).map(({ rule }) => String(rule));
  return missing(rulesOf(after), rulesOf(before));
}

/** The entries of the first list that the second lacks. */
function missing(from: unknown, list: unknown): string[] {
  const present = new Set(Array.isArray(list) ? list : []);
  return (Array.isArray(from) ? from : []).filter((value) => !present.has(value)).map(String);
}

function numberOf(schema: Schema, keyword: string, absent: number): number {
  const value = schema[keyword];
  return typeof value === "number" ? value : absent;
}

function recordOf(value: unknown): Schema {
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}

function listOf(value: unknown): readonly Schema[] {
  return Array.isArray(value) ? value.map(recordOf) : [];
}

function specOf(crd: Schema): Schema {
  return recordOf(crd.spec);
}
