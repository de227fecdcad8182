// Who declared something and alone may change it, as people are told; null: the API itself.
import type { Owner } from "./sync-spec.ts";

type Kind = "RepoSync" | "Connection" | "Repository";

export function managedBy(owner: Owner, kind: Kind, name: { readonly namespace: string; readonly name: string }): string | null {
  if (owner.kind === "api") return null;
  const declared = `${kind} ${name.namespace}/${name.name}`;
  return owner.kind === "resource" ? declared : `manifest ${declared}`;
}
