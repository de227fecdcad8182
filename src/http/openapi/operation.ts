// One route at one of its addresses as an operation of the document.
import { pathsOf, type Route } from "../route.ts";
import type { Components } from "./components.ts";
import { requestHeaders } from "./headers.ts";
import type { Json } from "./json-schema.ts";
import { headResponsesOf, responsesOf } from "./responses.ts";

export type Operation = {
  /** As OpenAPI writes it: `/v1/repos/{slug}/branches/{branch}`. */
  readonly path: string;
  /** In lower case. */
  readonly method: string;
  readonly description: Json;
};

/** A route at each of its addresses; HEAD is an operation of its own. */
export function operationsOf(route: Route, components: Components): readonly Operation[] {
  const methods = route.answersHead ? [route.method, "HEAD"] : [route.method];
  return pathsOf(route).flatMap((address) =>
    methods.map((method) => ({
      path: documentPath(address),
      method: method.toLowerCase(),
      description: describe(route, { address, isHead: method === "HEAD" }, components),
    })),
  );
}

/** `/repos/:slug/refs/:ref*` → `/v1/repos/{slug}/refs/{ref}`. */
export function documentPath(address: string): string {
  return `/v1${address.replace(PARAMETER, "{$1}")}`;
}

const PARAMETER = /:(\w+)\*?/g;

type Place = { readonly address: string; readonly isHead: boolean };

function describe(route: Route, { address, isHead }: Place, components: Components): Json {
  const { name, tag, summary, description } = route;
  const isInNamespace = address.includes(":namespace/:slug");
  return {
    operationId: `${isHead ? `head${capital(name)}` : name}${isInNamespace ? "InNamespace" : ""}`,
    tags: [tag],
    summary: isHead ? `${summary}: only the headers` : summary,
    ...(description === "" ? {} : { description }),
    parameters: [
      ...pathParameters(route, address, components),
      ...queryParameters(route, components),
      ...requestHeaders(route.answers),
    ],
    ...(route.access === "signed" ? { security: [] } : {}),
    ...(route.body === null ? {} : { requestBody: requestBody(route, route.body, components) }),
    responses: isHead ? headResponsesOf(route) : responsesOf(route, components),
  };
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

type Fields = Readonly<Record<string, Json>>;

function fieldsOf(
  schema: Route["query"],
  { schemas }: Components,
): { readonly fields: Fields; readonly required: readonly string[] } {
  const { properties = {}, required = [] } = schemas.convert(schema, "input");
  return { fields: properties as Fields, required: required as readonly string[] };
}

const TAKES_SLASHES = "May hold slashes, as they are or percent-encoded.";

function pathParameters(route: Route, address: string, components: Components): readonly Json[] {
  const { fields } = fieldsOf(route.params, components);
  return [...address.matchAll(PARAMETER)].map(([written, name = ""]) => {
    const { description, default: _, ...schema } = fields[name] ?? {};
    const told = [description, written.endsWith("*") ? TAKES_SLASHES : undefined].filter((text) => text !== undefined).join(" ");
    return { name, in: "path", required: true, ...(told === "" ? {} : { description: told }), schema };
  });
}

function queryParameters(route: Route, components: Components): readonly Json[] {
  const { fields, required } = fieldsOf(route.query, components);
  return Object.entries(fields).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    ...(required.includes(name) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

const FORM = "application/x-www-form-urlencoded";
/** What signs is JSON, or a form with the JSON in it. */
const PAYLOAD_FIELD = { type: "object", properties: { payload: { type: "string" } }, required: ["payload"] };

function requestBody({ name, access, example }: Route, body: NonNullable<Route["body"]>, components: Components): Json {
  return components.share("requestBodies", name, () => {
    const schema = components.schemas.convert(body, "input");
    const json = { "application/json": { schema, ...(example === null ? {} : { example }) } };
    const content = access === "signed" ? { ...json, [FORM]: { schema: PAYLOAD_FIELD } } : json;
    return { required: !body.safeParse({}).success, content };
  });
}
