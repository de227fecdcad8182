// Words of the manifests folder: what stands where, and what is wrong with it.

export type ManifestKind = "RepoSync" | "Connection" | "Repository" | "Secret";

/** A place in a file, for messages. `line` counts from 1; null: the file as a whole. */
export type Place = { readonly file: string; readonly line: number | null };

/** What keeps a document, or a whole file, from being applied. `message` is a sentence without file, line and field. */
export type ManifestProblem = Place & { readonly field: string | null; readonly message: string };

/** `examples/app.yaml:12: spec.remote: is required` */
export function describeProblem({ file, line, field, message }: ManifestProblem): string {
  const place = line === null ? file : `${file}:${line}`;
  return `${place}: ${field === null ? "" : `${field}: `}${message}`;
}

export type ManifestName = { readonly kind: ManifestKind; readonly namespace: string; readonly name: string };

/** `RepoSync/default/app`: names a manifest in messages, and its rows as the owner's ref. */
export type ManifestKey = string;

export function keyOf({ kind, namespace, name }: ManifestName): ManifestKey {
  return `${kind}/${namespace}/${name}`;
}
