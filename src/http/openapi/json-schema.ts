// From zod schemas to the JSON Schema of an OpenAPI 3.1 document. Schemas with an id become components that others refer to.
// What zod checks and JSON Schema cannot say is left out; where the wire has another form than the schema tells, such as
// numbers in a query, the schema's `document` says which.
import { z } from "zod";

export type Json = Readonly<Record<string, unknown>>;

/** Which side of a schema: what a request may hold, or what an answer has. */
export type Side = "input" | "output";

type Draft = Record<string, unknown>;

/** Converts schemas and gathers the components that they need. */
export class JsonSchemas {
  readonly #components = new Map<string, Json>();

  /** By name, in order of their names. */
  get components(): Json {
    return Object.fromEntries([...this.#components].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  convert(schema: z.ZodType, side: Side): Json {
    // A schema with an id is a component only where another one holds it.
    const { items, $defs = {} } = z.toJSONSchema(z.array(schema), {
      io: side,
      unrepresentable: "any",
      override: ({ jsonSchema }) => simplify(jsonSchema, side),
    });
    for (const [name, component] of Object.entries($defs)) this.#components.set(name, withReferences(component));
    return withReferences(items as Json);
  }
}

/** Changes `schema` into what a reader needs to know. */
function simplify(schema: Draft, side: Side): void {
  const { document, description } = schema;
  if (isRecord(document)) replace(schema, { ...(description === undefined ? {} : { description }), ...document });
  const needless = Object.keys(schema).filter((key) => isNeedless(schema, key, side));
  for (const key of needless) delete schema[key];
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}

function replace(schema: Draft, next: Json): void {
  for (const key of Object.keys(schema)) delete schema[key];
  Object.assign(schema, next);
}

function isNeedless(schema: Draft, key: string, side: Side): boolean {
  switch (key) {
    case "x-kubernetes-validations":
    case "propertyNames":
      return true;
    case "pattern":
      // Classes of Unicode characters are written in another way by most readers of patterns.
      return schema.format === "date-time" || String(schema.pattern).includes("\\p{");
    case "minimum":
    case "maximum":
      return Math.abs(Number(schema[key])) === Number.MAX_SAFE_INTEGER;
    case "additionalProperties":
      // A later version may answer more; no client should stumble over that.
      return side === "output" && schema[key] === false;
    default:
      return false;
  }
}

const DEFINITION = "#/$defs/";

function withReferences(value: unknown): Json {
  return JSON.parse(JSON.stringify(value), (key, inner) =>
    key === "$ref" && typeof inner === "string" ? inner.replace(DEFINITION, "#/components/schemas/") : inner,
  ) as Json;
}
