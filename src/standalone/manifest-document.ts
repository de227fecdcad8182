// One document of a manifest file: what kind it is, what it is about, and where its fields stand. A `List`, as kubectl
// prints it, counts as the documents in it.
import { DEFAULT_NAMESPACE } from "../resources/to-declaration.ts";
import type { ManifestKind, ManifestName } from "./manifest.ts";
import type { YamlDocument, YamlPath } from "./yaml-documents.ts";

export type DocumentSource = {
  readonly file: string;
  /** As written; null when it is none of a manifest's kinds. */
  readonly kind: ManifestKind | null;
  readonly value: Readonly<Record<string, unknown>>;
  lineOf(path: YamlPath): number;
};

const KINDS: readonly string[] = ["RepoSync", "Connection", "Repository", "Secret"] satisfies ManifestKind[];

/** A document, or the items of a `v1` List. */
export function listDocuments({ value, lineOf }: YamlDocument, file: string): DocumentSource[] {
  const record = toRecord(value);
  if (record.apiVersion !== "v1" || record.kind !== "List" || !Array.isArray(record.items)) {
    return [toSource(record, file, lineOf)];
  }
  return record.items.map((item: unknown, index) => toSource(toRecord(item), file, (path) => lineOf(["items", index, ...path])));
}

function toSource(value: Readonly<Record<string, unknown>>, file: string, lineOf: DocumentSource["lineOf"]): DocumentSource {
  const isKnown = typeof value.kind === "string" && KINDS.includes(value.kind);
  const isSecret = value.kind === "Secret" && value.apiVersion === "v1";
  const kind = isKnown && (value.kind !== "Secret" || isSecret) ? (value.kind as ManifestKind) : null;
  return { file, kind, value, lineOf };
}

/** What a document is about, valid or not; null when it does not say. */
export function identify({ kind, value }: DocumentSource): ManifestName | null {
  const { name, namespace = DEFAULT_NAMESPACE } = toRecord(value.metadata);
  if (kind === null || typeof name !== "string" || typeof namespace !== "string") return null;
  return { kind, namespace, name };
}

/** What is wrong with a Secret's own shape. Its keys are checked where a Connection uses them. Never shows a value. */
export function secretIssues(value: Readonly<Record<string, unknown>>): { readonly field: string; readonly message: string }[] {
  const issues: { readonly field: string; readonly message: string }[] = [];
  const { name } = toRecord(value.metadata);
  if (typeof name !== "string" || name === "") issues.push({ field: "metadata.name", message: "is required." });
  for (const [key, text] of Object.entries(toRecord(value.data))) {
    if (typeof text !== "string" || !BASE64.test(text)) issues.push({ field: `data.${key}`, message: "must be base64." });
  }
  for (const [key, text] of Object.entries(toRecord(value.stringData))) {
    if (typeof text !== "string") issues.push({ field: `stringData.${key}`, message: "must be a text; put it in quotes." });
  }
  return issues;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4}|\s)*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\s*$/;

/** `spec.include[3]` → `["spec", "include", 3]`. */
export function parseFieldPath(field: string): YamlPath {
  return [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? "") : Number(index),
  );
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
