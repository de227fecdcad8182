// A sync as it is right after it was declared.
import type { Declarations, SyncDeclaration, SyncStatus } from "../../src/sync/declarations.ts";

export async function declareSync(declarations: Declarations, declaration: SyncDeclaration): Promise<SyncStatus> {
  const { id } = await declarations.declareSync(declaration);
  const status = await declarations.readSync(id);
  if (status === null) throw new Error(`The sync ${id} is gone.`);
  return status;
}
