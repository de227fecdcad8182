// What a route is: method, path, the zod schemas of all that it takes and answers, and the function that answers. Plain
// data: register-routes.ts gives it to Fastify, and the API's document is made from the same schemas that validate.
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { ErrorCode } from "../domain/errors.ts";
import type { Right } from "../domain/token-scopes.ts";
import type { Answer, AnswerAmong, DocumentedAnswers } from "./answers/answer-of.ts";
import type { Principal } from "./principal.ts";
import { repositoryAddress } from "./schemas.ts";

/**
 * Who may call a route: `master` the master key only; `read` and `write` also a token with that right on the repository;
 * `any` every valid key, where the route shows each what it may see; `signed` whoever signs the body, as the route itself finds
 * out: it takes no key, and its body comes unread.
 */
export type Access = "master" | "any" | "signed" | Right;

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

/** How the API's document groups the routes. */
export const TAGS = ["Repositories", "Refs", "Commits", "Reading", "Sync", "Connections", "Runs", "Tokens"] as const;

/** What a reader of the document is told of a route beside its schemas. */
type Documentation<R extends DocumentedAnswers> = {
  /** The operation's id, as `createBranch`. */
  readonly name: string;
  readonly tag: (typeof TAGS)[number];
  /** One line without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** A request body that works. */
  readonly example?: unknown;
  /** What is answered, by status. */
  readonly answers: R;
  /** Refusals of its own, beside those that follow from its access and its schemas. */
  readonly problems?: readonly ErrorCode[];
};

export type Route = Required<Omit<Documentation<DocumentedAnswers>, "example">> & {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /v1, without the repository for a repository route. A last part `:name*` takes the rest, slashes included. */
  readonly path: string;
  readonly access: Access;
  /** Answers HEAD as well, with the same headers. */
  readonly answersHead: boolean;
  /** Exists as /repos/:slug… and /repos/:namespace/:slug…; `params` then begins with namespace and slug. */
  readonly isOfRepository: boolean;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  /** null: none is taken. */
  readonly body: z.ZodType | null;
  readonly example: unknown;
  /** Bytes that a body may have, where that is more than elsewhere; null: as elsewhere. */
  readonly maxBodyBytes: number | null;
  answer(input: RouteInput<unknown, unknown, unknown>): Promise<Answer>;
};

type Definition<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends DocumentedAnswers,
  A extends Access,
> = Documentation<R> & {
  readonly method: Route["method"];
  readonly path: string;
  readonly access: A;
  readonly answersHead?: boolean;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly maxBodyBytes?: number;
  answer(input: RouteInput<z.output<P>, z.output<Q>, z.output<B>>): Promise<AnswerAmong<NoInfer<R>>>;
};

type Nothing = z.ZodObject<Record<string, never>, z.core.$strict>;
const nothing: Nothing = z.strictObject({});

/** A route below /v1. */
export function defineRoute<
  R extends DocumentedAnswers,
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = Nothing,
>(definition: Definition<P, Q, B, R, "master" | "any" | "signed">): Route {
  return complete(definition, nothing, false);
}

/** A route of one repository: `path` is what follows its name. */
export function defineRepositoryRoute<
  R extends DocumentedAnswers,
  P extends z.ZodObject = typeof repositoryAddress,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = Nothing,
>(definition: Definition<P, Q, B, R, "master" | Right>): Route {
  return complete(definition, repositoryAddress, true);
}

function complete<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends DocumentedAnswers>(
  definition: Definition<P, Q, B, R, Access>,
  defaultParams: z.ZodObject,
  isOfRepository: boolean,
): Route {
  return {
    description: "",
    problems: [],
    example: null,
    ...definition,
    answersHead: definition.answersHead ?? false,
    isOfRepository,
    params: definition.params ?? defaultParams,
    query: definition.query ?? nothing,
    body: definition.body ?? null,
    maxBodyBytes: definition.maxBodyBytes ?? null,
    // The input was validated by the very schemas that type it.
    answer: (input) => definition.answer(input as RouteInput<z.output<P>, z.output<Q>, z.output<B>>),
  };
}

/** The addresses of a route below /v1. */
export function pathsOf(route: Pick<Route, "path" | "isOfRepository">): readonly string[] {
  return route.isOfRepository ? [`/repos/:slug${route.path}`, `/repos/:namespace/:slug${route.path}`] : [route.path];
}
