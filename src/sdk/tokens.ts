// Keys with scopes. Needs the master key.

import type { Calls } from "./calls.ts";
import type { Page } from "./paginate.ts";
import type { RequestOptions, Result } from "./result.ts";

/** Rights by repository: `repos:*` is all, `repos:slug` one in the namespace `default`, `repos:namespace/slug` any other. */
export type TokenScopes = Readonly<Record<string, readonly ("read" | "write")[]>>;

export type Token = {
  readonly id: string;
  readonly name: string;
  /** Enough to recognise the token by. */
  readonly key_prefix: string;
  readonly scopes: TokenScopes;
  /** null: good until revoked. */
  readonly expires_at: string | null;
  /** Exact to the minute. */
  readonly last_used: string | null;
  readonly created_at: string;
};

/** `token` is the key itself, which is never shown again. */
export type NewToken = Token & { readonly token: string };

export type TokenPage = Page & { readonly tokens: readonly Token[] };

export type CreateToken = {
  readonly name: string;
  readonly scopes: TokenScopes;
  /** Seconds, at most ten years; left out: good until revoked. */
  readonly expires_in?: number | undefined;
};

export interface TokensApi {
  create(token: CreateToken, options?: RequestOptions): Promise<Result<NewToken>>;
  /** The newest first, expired ones too. `limit` is 1 to 100, default 20. */
  list(
    query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
    options?: RequestOptions,
  ): Promise<Result<TokenPage>>;
  /** From then on the token is refused everywhere. */
  revoke(id: string, options?: RequestOptions): Promise<Result<{ readonly id: string; readonly revoked: true }>>;
}

export function createTokensApi(calls: Calls): TokensApi {
  return {
    create: (body, options) => calls.json({ method: "POST", path: ["tokens"], body, options }),
    list: (query, options) => calls.json({ method: "GET", path: ["tokens"], query, options }),
    revoke: (id, options) => calls.json({ method: "DELETE", path: ["tokens", id], options }),
  };
}
