import { managedBy } from "../../domain/managed-by.ts";
import type { ConnectionListing } from "../../sync/catalog.ts";
import type { AnswerOf } from "../answers/answer-of.ts";
import type { connectionAnswer, newConnectionAnswer } from "../answers/connection.ts";

export function presentConnection(connection: ConnectionListing): AnswerOf<typeof connectionAnswer> {
  const { namespace, name, owner } = connection;
  const { id, ...rest } = presentNewConnection(connection);
  return {
    id,
    namespace,
    name,
    ...rest,
    managed_by: managedBy(owner, "Connection", { namespace, name }),
    error: connection.error,
    error_code: connection.errorCode,
  };
}

export function presentNewConnection(connection: ConnectionListing): AnswerOf<typeof newConnectionAnswer> {
  const { id, provider, label } = connection;
  return {
    id,
    provider,
    label,
    external_username: connection.externalUsername,
    base_url: connection.baseUrl,
    scopes: connection.scopes,
    expires_at: connection.expiresAt,
    created_at: connection.createdAt,
  };
}
