// The sync that a command names, and where its repository's routes are.
import type { ApiClient } from "./client.ts";
import { CliError, EXIT } from "./exit.ts";
import { text } from "./table.ts";

export type FoundSync = { readonly id: string; readonly routes: string };

export type NamespaceFlag = { readonly namespace: string };
export const NAMESPACE_FLAG = ["-n, --namespace <ns>", "namespace of the sync", "default"] as const;

/** @throws CliError when there is none. */
export async function findSync(client: ApiClient, namespace: string, name: string): Promise<FoundSync> {
  const address = `/v1/syncs/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const row = await client.get(address);
  const id = text(row, "id");
  const owner = text(row, "repository.namespace");
  const slug = text(row, "repository.slug");
  if (id === null || owner === null || slug === null) throw new CliError(EXIT.failed, "The server's answer has no sync in it.");
  return { id, routes: `/v1/repos/${encodeURIComponent(owner)}/${encodeURIComponent(slug)}` };
}
