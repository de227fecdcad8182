// From a document of unknown content to a resource with its defaults, or to everything that is wrong with it. Does what the
// API server does with the CRDs, for documents that no API server has seen, and types what one has.
import { z } from "zod";
import { similarWord } from "../domain/similar-word.ts";
import { type Issue, toIssues } from "./issue.ts";
import { API_VERSION, GROUP, type KindDefinition, metadataSchema, type Resource } from "./kind.ts";
import { type AnyResource, isKindName, KINDS, type KindName } from "./kinds.ts";
import { unstorableTexts } from "./unstorable-text.ts";

export type ParsedResource<R = AnyResource> =
  | { readonly ok: true; readonly resource: R }
  | { readonly ok: false; readonly issues: readonly Issue[] };

type Options = {
  /** `refuse` for what a person wrote; `drop` for what an API server with newer CRDs may have let through. */
  readonly unknownFields?: "refuse" | "drop";
};

const DNS_SUBDOMAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/u;
const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/** Any of the three kinds. Never throws on bad input. */
export function parseResource(document: unknown, options: Options = {}): ParsedResource {
  if (!isRecord(document)) return refuse("", "must be a mapping with apiVersion, kind, metadata and spec");
  const { apiVersion, kind } = document;
  if (apiVersion !== API_VERSION) return refuse("apiVersion", `must be ${API_VERSION} for the kinds of ${GROUP}`);
  if (!isKindName(kind)) return refuse("kind", unknownKind(kind));
  switch (kind) {
    case "RepoSync":
      return parseAs(KINDS.RepoSync, document, options);
    case "Connection":
      return parseAs(KINDS.Connection, document, options);
    case "Repository":
      return parseAs(KINDS.Repository, document, options);
  }
}

/** What an update of `previous` to `next` must not change. Both are of one kind and name. */
export function checkUpdate(previous: AnyResource, next: AnyResource): Issue[] {
  const { transitions }: Pick<KindDefinition<AnyResource>, "transitions"> = definitionOf(next.kind);
  return transitions.filter(({ holds }) => !holds(next, previous)).map(({ field, message }) => ({ field, message }));
}

/** The schema of a whole resource of one kind. */
export function resourceSchema<R extends Resource<string, unknown, unknown>>(definition: KindDefinition<R>) {
  return z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(definition.kind),
    metadata: metadataSchema,
    spec: definition.spec,
    status: definition.status.optional().catch(undefined),
  });
}

function parseAs<R extends AnyResource>(definition: KindDefinition<R>, document: object, options: Options): ParsedResource<R> {
  const schema = resourceSchema(definition);
  const known = (path: readonly PropertyKey[]) => knownFields(schema, path);
  let parsed = schema.safeParse(document, { reportInput: true });
  if (!parsed.success && options.unknownFields === "drop") {
    parsed = schema.safeParse(withoutUnknownFields(document, parsed.error), { reportInput: true });
  }
  if (!parsed.success) return { ok: false, issues: [...toIssues(parsed.error, known), ...nameIssues(document)] };
  const resource = parsed.data as unknown as R;
  const issues = [
    ...nameIssues(document),
    ...unstorableTexts(resource.spec, "spec"),
    ...definition.rules.filter(({ holds }) => !holds(resource)).map(({ field, message }) => ({ field, message })),
  ];
  return issues.length === 0 ? { ok: true, resource } : { ok: false, issues };
}

function definitionOf(kind: KindName): KindDefinition<AnyResource> {
  return KINDS[kind] as unknown as KindDefinition<AnyResource>;
}

function refuse(field: string, message: string): { readonly ok: false; readonly issues: readonly Issue[] } {
  return { ok: false, issues: [{ field, message }] };
}

function unknownKind(kind: unknown): string {
  const names = Object.keys(KINDS);
  const meant = typeof kind === "string" ? similarWord(kind, names) : null;
  return meant === null ? `must be one of ${names.join(", ")}` : `is ${String(kind)}; did you mean ${meant}?`;
}

function nameIssues(document: object): Issue[] {
  const metadata = "metadata" in document && isRecord(document.metadata) ? document.metadata : {};
  const { name, namespace } = metadata;
  const issues: Issue[] = [];
  if (typeof name === "string" && name !== "" && !DNS_SUBDOMAIN.test(name)) {
    issues.push({
      field: "metadata.name",
      message: "must be lower-case letters, digits, '-' and '.', starting and ending with a letter or a digit",
    });
  }
  if (typeof namespace === "string" && !DNS_LABEL.test(namespace)) {
    issues.push({
      field: "metadata.namespace",
      message: "must be at most 63 lower-case letters, digits and '-', starting and ending with a letter or a digit",
    });
  }
  return issues;
}

/** Names of the fields of the object schema at `path`. */
function knownFields(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const part of path) {
    const bare = unwrap(current);
    current = bare instanceof z.ZodObject ? bare.shape[String(part)] : bare instanceof z.ZodArray ? bare.element : undefined;
  }
  const bare = unwrap(current);
  return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? unwrap(schema.unwrap()) : schema;
}

function withoutUnknownFields(document: object, error: z.ZodError): object {
  const copy = structuredClone(document);
  for (const issue of error.issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const parent = issue.path.reduce<unknown>((value, part) => (isRecord(value) ? value[String(part)] : undefined), copy);
    if (isRecord(parent)) for (const key of issue.keys) delete parent[key];
  }
  return copy;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
