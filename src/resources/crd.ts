// CustomResourceDefinitions from the zod schemas: JSON Schema as the API server wants it, which is structural, without
// $ref and additionalProperties, and with the rules, defaults and descriptions of the fields.
import { z } from "zod";
import { GROUP, type KindDefinition, type Resource, VERSION } from "./kind.ts";

export type JsonSchema = { readonly [key: string]: unknown };

export type AnyDefinition = Omit<KindDefinition<Resource<string, unknown, unknown>>, "rules" | "transitions"> & {
  readonly rules: readonly CelRule[];
  readonly transitions: readonly CelRule[];
};
type CelRule = { readonly rule: string; readonly message: string; readonly field: string };

/** The definition of one kind, as an object in the key order that kubectl shows. */
export function customResourceDefinition(definition: AnyDefinition): JsonSchema {
  const { plural, singular, kind, shortName } = definition;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ["coregit"] },
      scope: "Namespaced",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: definition.columns.map(({ name, type, jsonPath, priority, description }) => ({
            name,
            type,
            jsonPath,
            ...(priority === undefined ? {} : { priority }),
            description,
          })),
          schema: { openAPIV3Schema: rootSchema(definition) },
        },
      ],
    },
  };
}

/** The structural schema of a spec or status. */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  return toStructural(z.toJSONSchema(schema, { io: "input", target: "openapi-3.0", reused: "inline" }));
}

function rootSchema(definition: AnyDefinition): JsonSchema {
  const rules = [...definition.rules, ...definition.transitions];
  return {
    type: "object",
    description: definition.description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: "Version of the schema of this object." },
      kind: { type: "string", description: "Kind of this object." },
      metadata: { type: "object" },
      spec: { description: "What is wanted.", ...structuralSchema(definition.spec) },
      // Until the operator has seen an object, its status says so; kstatus then reports it as in progress.
      status: {
        description: "What is.",
        default: { observedGeneration: -1 },
        ...structuralSchema(definition.status),
      },
    },
    ...(rules.length === 0 ? {} : { "x-kubernetes-validations": rules.map(toValidation) }),
  };
}

/** The API server takes a fieldPath only to fields that the schema has, which those of metadata are not. */
function toValidation({ rule, message, field }: CelRule): JsonSchema {
  return field.startsWith("metadata.") ? { rule, message: `${field} ${message}` } : { rule, message, fieldPath: `.${field}` };
}

/** Keywords that JSON Schema has and a structural schema must not or need not have. */
const DROPPED = new Set(["$schema", "id", "additionalProperties"]);

function toStructural(node: unknown): JsonSchema {
  const schema = node as Readonly<Record<string, unknown>>;
  if (schema["x-kubernetes-int-or-string"] === true) return intOrString(schema);
  const entries = Object.entries(schema)
    .sort(([a], [b]) => rank(a) - rank(b))
    .filter(([key, value]) => !DROPPED.has(key) && !isSafeIntegerBound(key, value))
    .map(([key, value]) => [key, toStructuralValue(key, value)] as const);
  return Object.fromEntries(entries);
}

/** What a reader looks for first. Keywords that are not listed follow in zod's order. */
const KEY_ORDER = ["description", "type", "format", "enum", "default", "required"];

function rank(key: string): number {
  const index = KEY_ORDER.indexOf(key);
  return index === -1 ? KEY_ORDER.length : index;
}

function toStructuralValue(key: string, value: unknown): unknown {
  if (key === "items") return toStructural(value);
  if (key !== "properties") return value;
  return Object.fromEntries(Object.entries(value as object).map(([name, field]) => [name, toStructural(field)]));
}

function intOrString({ anyOf: _, ...rest }: Readonly<Record<string, unknown>>): JsonSchema {
  return { anyOf: [{ type: "integer" }, { type: "string" }], ...rest };
}

/** zod bounds every integer by what a double holds exactly; in a CRD that is noise. */
function isSafeIntegerBound(key: string, value: unknown): boolean {
  return (key === "minimum" || key === "maximum") && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}
