// GitHub's own OpenAPI description, against which every answer of the double and the form of every request is checked.
// Formats are checked where a wrong one could mislead a client (times, addresses).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";

type JsonObject = { readonly [key: string]: unknown };

type Operation = {
  readonly requestBody?: { readonly content?: Content };
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
};
type Content = Readonly<Record<string, { readonly schema?: JsonObject }>>;
type DescribedAnswer = { readonly $ref?: string; readonly content?: Content };

type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: JsonObject; readonly responses: Readonly<Record<string, DescribedAnswer>> };
};

/** Errors that any route may answer, described or not. */
const EVERYWHERE = new Set([400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503]);

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * OpenAPI 3.0 as JSON schema. `oneOf` becomes `anyOf`: GitHub's alternatives overlap (any error with a message is both a validation
 * error and a rule violation), so exactly one cannot be meant.
 */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema);
  if (!isObject(value)) return value;
  const { nullable, discriminator: _discriminator, ...rest } = value;
  const schema = Object.fromEntries(Object.entries(rest).map(([key, inner]) => keyword(key, inner)));
  return nullable === true ? { anyOf: [schema, { type: "null" }] } : schema;
}

function keyword(key: string, inner: unknown): readonly [string, unknown] {
  if (key === "$ref") return ["$ref", String(inner).replace("#/", "github#/")];
  return [key === "oneOf" ? "anyOf" : key, toJsonSchema(inner)];
}

function jsonSchemaOf(content: Content | undefined): JsonObject | null {
  const schema = content?.["application/json"]?.schema;
  return schema === undefined ? null : (toJsonSchema(schema) as JsonObject);
}

export type CheckedAnswer = {
  readonly method: string;
  /** Path template as GitHub writes it. */
  readonly template: string;
  readonly status: number;
  /** Undefined: not JSON. */
  readonly json: unknown;
  readonly hasBody: boolean;
};

export class GitHubSchema {
  readonly #description: Description;
  readonly #ajv = new Ajv({ strict: false, allErrors: false });
  readonly #compiled = new Map<string, ValidateFunction | null>();

  constructor() {
    const text = readFileSync(join(import.meta.dirname, "github.openapi.json"), "utf8");
    this.#description = JSON.parse(text) as Description;
    this.#ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    this.#ajv.addFormat("uri", (value) => URL.canParse(value));
    this.#ajv.addFormat("email", true);
    this.#ajv.addFormat("int64", true);
    this.#ajv.addSchema({ $id: "github", components: { schemas: toJsonSchema(this.#description.components.schemas) } });
  }

  /** What is wrong with a request's body, as GitHub says it; null: nothing. */
  requestFault(method: string, template: string, json: unknown): string | null {
    const validate = this.#validator(`${method} ${template} request`, () =>
      jsonSchemaOf(this.#operation(method, template)?.requestBody?.content),
    );
    if (validate === null || validate(json)) return null;
    const [error] = validate.errors ?? [];
    if (error?.keyword === "required") return `Invalid request.\n\n"${String(error.params.missingProperty)}" wasn't supplied.`;
    return `Invalid request.\n\nFor 'properties${error?.instancePath ?? ""}', ${error?.message ?? "it is not valid"}.`;
  }

  /** How an answer breaks the description; null: it does not, or the description does not have the route. */
  answerFault({ method, template, status, json, hasBody }: CheckedAnswer): string | null {
    const operation = this.#operation(method, template);
    if (operation === null || status === 304) return null;
    const described = operation.responses[String(status)];
    if (described === undefined) return EVERYWHERE.has(status) ? null : `${status} is not an answer of ${method} ${template}`;
    const validate = this.#validator(`${method} ${template} ${status}`, () => jsonSchemaOf(this.#resolve(described).content));
    if (status === 204 && hasBody) return `${method} ${template}: 204 with a body`;
    if (validate === null || json === undefined || validate(json)) return null;
    return `${method} ${template} ${status}: ${this.#ajv.errorsText(validate.errors)}`;
  }

  #operation(method: string, template: string): Operation | null {
    return this.#description.paths[template]?.[method.toLowerCase()] ?? null;
  }

  #resolve(response: DescribedAnswer): DescribedAnswer {
    const name = response.$ref?.replace("#/components/responses/", "");
    return name === undefined ? response : (this.#description.components.responses[name] ?? {});
  }

  #validator(key: string, find: () => JsonObject | null): ValidateFunction | null {
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const schema = find();
    const compiled = schema === null ? null : this.#ajv.compile(schema);
    this.#compiled.set(key, compiled);
    return compiled;
  }
}
