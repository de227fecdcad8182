// What a route is: method, path, and zod schemas of all it takes, with the function that answers. Plain data, so that
// documentation can be generated from the same schemas that validate; register-routes.ts gives it to Fastify.
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { Right } from "../domain/token-scopes.ts";
import type { Principal } from "./principal.ts";
import { repositoryAddress } from "./schemas.ts";

/**
 * Who may call a route: `master` the master key only; `read` and `write` also a token with that right on the repository;
 * `any` every valid key, where the route shows each what it may see.
 */
export type Access = "master" | "any" | Right;

export type RouteInput<P, Q, B> = {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly headers: IncomingHttpHeaders;
  /** Who asks; has the route's access. */
  readonly principal: Principal;
  /** Aborts when the client goes away or the server closes. */
  readonly signal: AbortSignal;
};

export type AnswerHeaders = Readonly<Record<string, string | number>>;

/** JSON with a status, bytes with a status, or text for as long as there is some. A stream of bytes is not begun for HEAD. */
export type Answer =
  | { readonly status: number; readonly body: unknown; readonly headers?: AnswerHeaders }
  | { readonly status: number; readonly headers: AnswerHeaders; readonly bytes: Uint8Array | AsyncIterable<Uint8Array> | null }
  | { readonly stream: AsyncIterable<string>; readonly contentType: string };

export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /v1, without the repository for a repository route. A last part `:name*` takes the rest, slashes included. */
  readonly path: string;
  readonly access: Access;
  /** Answers HEAD as well, with the same headers. */
  readonly answersHead: boolean;
  /** Exists as /repos/:slug… and /repos/:namespace/:slug…; `params` then begins with namespace and slug. */
  readonly isOfRepository: boolean;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  /** Bytes that a body may have, where that is more than elsewhere; null: as elsewhere. */
  readonly maxBodyBytes: number | null;
  answer(input: RouteInput<unknown, unknown, unknown>): Promise<Answer>;
};

type Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends Access> = {
  readonly method: Route["method"];
  readonly path: string;
  readonly access: A;
  readonly answersHead?: boolean;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly maxBodyBytes?: number;
  answer(input: RouteInput<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>;
};

type Nothing = z.ZodObject<Record<string, never>>;
const nothing: Nothing = z.strictObject({});

/** A route below /v1. */
export function defineRoute<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing, B extends z.ZodType = Nothing>(
  definition: Definition<P, Q, B, "master" | "any">,
): Route {
  return complete(definition, nothing, false);
}

/** A route of one repository: `path` is what follows its name. */
export function defineRepositoryRoute<
  P extends z.ZodType = typeof repositoryAddress,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = Nothing,
>(definition: Definition<P, Q, B, "master" | Right>): Route {
  return complete(definition, repositoryAddress, true);
}

function complete<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  definition: Definition<P, Q, B, Access>,
  defaultParams: z.ZodType,
  isOfRepository: boolean,
): Route {
  return {
    method: definition.method,
    path: definition.path,
    access: definition.access,
    answersHead: definition.answersHead ?? false,
    isOfRepository,
    params: definition.params ?? defaultParams,
    query: definition.query ?? nothing,
    body: definition.body ?? nothing,
    maxBodyBytes: definition.maxBodyBytes ?? null,
    // The input was validated by the very schemas that type it.
    answer: (input) => definition.answer(input as RouteInput<z.output<P>, z.output<Q>, z.output<B>>),
  };
}

/** The addresses of a route below /v1. */
export function pathsOf(route: Route): readonly string[] {
  return route.isOfRepository ? [`/repos/:slug${route.path}`, `/repos/:namespace/:slug${route.path}`] : [route.path];
}
