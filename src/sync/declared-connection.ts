// The connection that a declaration names, and whether it can do what the declaration asks of it.
import { type ConnectionRecord, findConnection, readConnection } from "../db/connections.ts";
import type { Queryable } from "../db/database.ts";
import type { SyncDeclaration } from "../domain/declaration.ts";
import { CoregitError } from "../domain/errors.ts";

/** Null: it names none, or one that is not there (yet). */
export async function declaredConnection(db: Queryable, declaration: SyncDeclaration): Promise<ConnectionRecord | null> {
  const { connection, owner, namespace } = declaration;
  if (connection === null) return null;
  // The API names connections by their ids, whoever declared them and wherever.
  return owner.kind === "api" ? readConnection(db, connection) : findConnection(db, owner.kind, namespace, connection);
}

/** A sync that demands a provider's API has one. @throws CoregitError `InvalidSpec`. */
export async function requireApi(db: Queryable, declaration: SyncDeclaration): Promise<void> {
  const { connection, spec } = declaration;
  if (spec.transport !== "api") return;
  if (spec.direction !== "export") throw invalid("is for exports: an import always reads by git");
  const known = await declaredConnection(db, declaration);
  if (connection === null || known?.provider === "git") throw invalid("needs a connection to GitHub or GitLab");
}

function invalid(reason: string): CoregitError {
  return new CoregitError("InvalidSpec", `\`transport: api\` ${reason}.`);
}
