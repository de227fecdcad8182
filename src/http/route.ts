// What a route is: method, path, and zod schemas of all it takes, with the function that answers. Plain data, so that
// documentation can be generated from the same schemas that validate; register-routes.ts gives it to Fastify.
import { z } from "zod";
import { repositoryAddress } from "./schemas.ts";

export type RouteInput<P, Q, B> = {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Aborts when the client goes away or the server closes. */
  readonly signal: AbortSignal;
};

/** JSON with a status, or bytes that are sent as they come. */
export type Answer =
  | { readonly status: number; readonly body: unknown }
  | { readonly stream: AsyncIterable<string>; readonly contentType: string };

export type Route = {
  readonly method: "GET" | "POST";
  /** Below /v1, without the repository for a repository route. */
  readonly path: string;
  /** Exists as /repos/:slug… and /repos/:namespace/:slug…; `params` then begins with namespace and slug. */
  readonly isOfRepository: boolean;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  answer(input: RouteInput<unknown, unknown, unknown>): Promise<Answer>;
};

type Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = {
  readonly method: Route["method"];
  readonly path: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  answer(input: RouteInput<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>;
};

type Nothing = z.ZodObject<Record<string, never>>;
const nothing: Nothing = z.strictObject({});

/** A route below /v1. */
export function defineRoute<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing, B extends z.ZodType = Nothing>(
  definition: Definition<P, Q, B>,
): Route {
  return complete(definition, nothing, false);
}

/** A route of one repository: `path` is what follows its name. */
export function defineRepositoryRoute<
  P extends z.ZodType = typeof repositoryAddress,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = Nothing,
>(definition: Definition<P, Q, B>): Route {
  return complete(definition, repositoryAddress, true);
}

function complete<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  definition: Definition<P, Q, B>,
  defaultParams: z.ZodType,
  isOfRepository: boolean,
): Route {
  return {
    method: definition.method,
    path: definition.path,
    isOfRepository,
    params: definition.params ?? defaultParams,
    query: definition.query ?? nothing,
    body: definition.body ?? nothing,
    // The input was validated by the very schemas that type it.
    answer: (input) => definition.answer(input as RouteInput<z.output<P>, z.output<Q>, z.output<B>>),
  };
}

/** The addresses of a route below /v1. */
export function pathsOf(route: Route): readonly string[] {
  return route.isOfRepository ? [`/repos/:slug${route.path}`, `/repos/:namespace/:slug${route.path}`] : [route.path];
}
