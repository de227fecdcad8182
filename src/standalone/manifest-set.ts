// From the texts of a folder to what it declares, and everything that is wrong with it. Pure. One bad document never hides
// another; where two documents declare the same thing, the first by file name counts.
import type { ConnectionDeclaration, RepositoryDeclaration, SyncDeclaration } from "../domain/declaration.ts";
import type { AnyResource } from "../resources/kinds.ts";
import { parseResource } from "../resources/parse-resource.ts";
import { decodeSecret, type SecretData } from "../resources/secret-keys.ts";
import {
  namespaceOf,
  type SecretLookup,
  toConnectionDeclaration,
  toRepositoryDeclaration,
  toSyncDeclaration,
} from "../resources/to-declaration.ts";
import { keyOf, type ManifestKey, type ManifestProblem, type Place } from "./manifest.ts";
import { type DocumentSource, identify, listDocuments, parseFieldPath, secretIssues } from "./manifest-document.ts";
import type { ManifestFile } from "./manifest-folder.ts";
import { parseYamlDocuments } from "./yaml-documents.ts";

export type Declaration =
  | { readonly kind: "Repository"; readonly declaration: RepositoryDeclaration }
  | { readonly kind: "Connection"; readonly declaration: ConnectionDeclaration }
  | { readonly kind: "RepoSync"; readonly declaration: SyncDeclaration };

export type DeclaredManifest = Place &
  Declaration & {
    readonly key: ManifestKey;
    /** Equal for equal declarations. Holds credentials: compared, never shown. */
    readonly fingerprint: string;
  };

export type ManifestSet = {
  readonly declared: ReadonlyMap<ManifestKey, DeclaredManifest>;
  /** What invalid documents are about: it is neither applied nor taken back. */
  readonly claimed: ReadonlySet<ManifestKey>;
  /** Files with a part that nobody can tell what it is about. */
  readonly brokenFiles: ReadonlySet<string>;
  readonly problems: readonly ManifestProblem[];
};

export function readManifestSet(files: readonly ManifestFile[]): ManifestSet {
  const draft = new Draft();
  for (const file of files) addFile(draft, file);
  return draft.finish();
}

function addFile(draft: Draft, file: ManifestFile): void {
  if (file.text === null) {
    draft.break({ file: file.path, line: null, field: null, message: file.error });
    return;
  }
  const { documents, problems } = parseYamlDocuments(file.text);
  for (const { line, message } of problems) draft.break({ file: file.path, line, field: null, message });
  for (const source of documents.flatMap((document) => listDocuments(document, file.path))) draft.add(source);
}

class Draft {
  readonly #resources = new Map<ManifestKey, Place & { readonly resource: AnyResource }>();
  readonly #secrets = new Map<ManifestKey, Place & { readonly data: SecretData }>();
  readonly #claimed = new Set<ManifestKey>();
  readonly #brokenFiles = new Set<string>();
  readonly #problems: ManifestProblem[] = [];

  /** Something is wrong with a file and it cannot be said what it is about. */
  break(problem: ManifestProblem): void {
    this.#brokenFiles.add(problem.file);
    this.#problems.push(problem);
  }

  add(source: DocumentSource): void {
    if (source.kind === "Secret") this.#addSecret(source);
    else this.#addResource(source);
  }

  finish(): ManifestSet {
    const declared = new Map<ManifestKey, DeclaredManifest>();
    for (const [key, { resource, file, line }] of this.#resources) {
      if (this.#isSecretUnclear(resource)) this.#claimed.add(key);
      else {
        const declaration = this.#declare(resource, key);
        declared.set(key, { key, file, line, ...declaration, fingerprint: JSON.stringify(declaration) });
      }
    }
    return { declared, claimed: this.#claimed, brokenFiles: this.#brokenFiles, problems: this.#problems };
  }

  #addResource(source: DocumentSource): void {
    const parsed = parseResource(source.value);
    if (!parsed.ok) {
      for (const { field, message } of parsed.issues) this.#refuse(source, field, `${message}.`);
      this.#claim(source);
      return;
    }
    const { kind, metadata } = parsed.resource;
    const key = keyOf({ kind, namespace: namespaceOf(parsed.resource), name: metadata.name });
    const line = source.lineOf([]);
    if (this.#isNew(this.#resources, key, source))
      this.#resources.set(key, { file: source.file, line, resource: parsed.resource });
  }

  #addSecret(source: DocumentSource): void {
    const name = identify(source);
    const issues = secretIssues(source.value);
    for (const { field, message } of issues) this.#refuse(source, field, message);
    if (issues.length > 0) this.#claim(source);
    if (issues.length > 0 || name === null) return;
    const key = keyOf(name);
    if (!this.#isNew(this.#secrets, key, source)) return;
    this.#secrets.set(key, { file: source.file, line: source.lineOf([]), data: decodeSecret(source.value) });
  }

  #isNew(known: ReadonlyMap<ManifestKey, Place>, key: ManifestKey, source: DocumentSource): boolean {
    const first = known.get(key);
    if (first === undefined) return true;
    this.#refuse(source, "metadata.name", `is declared already in ${first.file}:${first.line}; this one is ignored.`);
    return false;
  }

  #refuse(source: DocumentSource, field: string, message: string): void {
    const line = source.lineOf(parseFieldPath(field));
    this.#problems.push({ file: source.file, line, field: field === "" ? null : field, message });
  }

  #claim(source: DocumentSource): void {
    const name = identify(source);
    if (name === null) this.#brokenFiles.add(source.file);
    else this.#claimed.add(keyOf(name));
  }

  #declare(resource: AnyResource, key: ManifestKey): Declaration {
    const owner = { kind: "file", ref: key } as const;
    switch (resource.kind) {
      case "Repository":
        return { kind: resource.kind, declaration: toRepositoryDeclaration(resource, owner) };
      case "RepoSync":
        return { kind: resource.kind, declaration: toSyncDeclaration(resource, owner) };
      case "Connection": {
        const secret = this.#findSecret(namespaceOf(resource), resource.spec.secretRef?.name);
        return { kind: resource.kind, declaration: toConnectionDeclaration(resource, owner, secret) };
      }
    }
  }

  /** Its Secret is in a document that could not be understood, or may be: the connection stays what it was. */
  #isSecretUnclear(resource: AnyResource): boolean {
    const name = resource.kind === "Connection" ? resource.spec.secretRef?.name : undefined;
    if (name === undefined) return false;
    const key = keyOf({ kind: "Secret", namespace: namespaceOf(resource), name });
    return !this.#secrets.has(key) && (this.#claimed.has(key) || this.#brokenFiles.size > 0);
  }

  #findSecret(namespace: string, name: string | undefined): SecretLookup | null {
    if (name === undefined) return null;
    const secret = this.#secrets.get(keyOf({ kind: "Secret", namespace, name }));
    if (secret !== undefined) return { found: true, data: secret.data };
    return { found: false, message: `No manifest has the Secret ${namespace}/${name}.` };
  }
}
