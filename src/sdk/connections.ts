// Credentials for remotes. They go in and never come out. Needs the master key.

import type { Calls } from "./calls.ts";
import type { RequestOptions, Result } from "./result.ts";
import type { Provider } from "./syncs.ts";

/** A connection as lists show it. */
export type Connection = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly provider: Provider;
  readonly label: string;
  /** The resource or manifest that declares it and alone may change it; null: the API itself. */
  readonly managed_by: string | null;
  /** The account that the credential belongs to. */
  readonly external_username: string | null;
  readonly base_url: string | null;
  readonly scopes: readonly string[] | null;
  readonly expires_at: string | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly created_at: string;
};

export type NewConnection = {
  readonly id: string;
  readonly provider: Provider;
  readonly label: string;
  readonly external_username: string | null;
  readonly base_url: string | null;
  readonly scopes: readonly string[] | null;
  readonly expires_at: string | null;
  readonly created_at: string;
};

/** One of three ways to sign in. */
export type ConnectionCredential =
  | { readonly access_token: string }
  | { readonly username: string; readonly password: string }
  | { readonly app: GitHubApp };

export type GitHubApp = {
  readonly id: string | number;
  readonly installation_id: string | number;
  /** PEM. */
  readonly private_key: string;
};

/** The credential is tried out before the connection is made. */
export type CreateConnection = ConnectionCredential & {
  readonly provider: Provider;
  readonly label: string;
  /** GitHub Enterprise, a GitLab of your own, or the root of any git server. */
  readonly base_url?: string | undefined;
};

/** Fields that are left out stay as they are. */
export type UpdateConnection = {
  readonly label?: string | undefined;
  readonly access_token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly app?: GitHubApp | undefined;
  readonly base_url?: string | undefined;
};

export type ConnectionTest =
  | { readonly valid: true; readonly username: string | null }
  | { readonly valid: false; readonly error: string };

export interface ConnectionsApi {
  create(connection: CreateConnection, options?: RequestOptions): Promise<Result<NewConnection>>;
  /** Of all owners, or those of one namespace. */
  list(
    query?: { readonly namespace?: string | undefined },
    options?: RequestOptions,
  ): Promise<Result<{ readonly connections: readonly Connection[] }>>;
  get(id: string, options?: RequestOptions): Promise<Result<Connection>>;
  update(id: string, changes: UpdateConnection, options?: RequestOptions): Promise<Result<{ readonly updated: true }>>;
  /** Refused while syncs use it, unless `cascade` takes them along. */
  delete(
    id: string,
    query?: { readonly cascade?: boolean | undefined },
    options?: RequestOptions,
  ): Promise<Result<{ readonly deleted: true }>>;
  /** Whether the provider takes the credential now. */
  test(id: string, options?: RequestOptions): Promise<Result<ConnectionTest>>;
}

export function createConnectionsApi(calls: Calls): ConnectionsApi {
  return {
    create: (body, options) => calls.json({ method: "POST", path: ["connections"], body, options }),
    list: (query, options) => calls.json({ method: "GET", path: ["connections"], query, options }),
    get: (id, options) => calls.json({ method: "GET", path: ["connections", id], options }),
    update: (id, body, options) => calls.json({ method: "PATCH", path: ["connections", id], body, options }),
    delete: (id, query, options) => calls.json({ method: "DELETE", path: ["connections", id], query, options }),
    test: (id, options) => calls.json({ method: "POST", path: ["connections", id, "test"], options }),
  };
}
