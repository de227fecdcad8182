// Writes one declaration, or takes one back, through the port that all front doors share.
import type { Declarations } from "../sync/declarations.ts";
import type { ManifestKey } from "./manifest.ts";
import type { Declaration } from "./manifest-set.ts";

/** @throws the errors of `Declarations`. */
export async function applyDeclaration(declarations: Declarations, { kind, declaration }: Declaration): Promise<void> {
  switch (kind) {
    case "Repository":
      await declarations.declareRepository(declaration);
      return;
    case "Connection":
      await declarations.declareConnection(declaration);
      return;
    case "RepoSync":
      await declarations.declareSync(declaration);
  }
}

/** Idempotent. */
export async function withdraw(declarations: Declarations, key: ManifestKey): Promise<void> {
  const [kind, namespace = "", name = ""] = key.split("/");
  const owner = { kind: "file", ref: key } as const;
  if (kind === "RepoSync") await declarations.withdrawSync(owner, namespace, name);
  else if (kind === "Connection") await declarations.withdrawConnection(owner, namespace, name);
  else await declarations.withdrawRepository(owner, namespace, name);
}
