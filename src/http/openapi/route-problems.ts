// Every refusal that a route can answer with: those that it names, and those that follow from its access and its schemas.
import { ERROR_CODES, type ErrorCode } from "../../domain/errors.ts";
import { pathsOf, type Route } from "../route.ts";

/** Sorted by status, each with its codes in the order of the catalogue. */
export type RouteProblems = readonly (readonly [status: number, codes: readonly ErrorCode[]])[];

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** What any request can meet that reaches a route; not the caller's to prevent. */
export const FAILURES: RouteProblems = [500, 503].map((status) => [
  status,
  CODES.filter((code) => ERROR_CODES[code].http === status),
]);

export function problemsOf(route: Route): RouteProblems {
  const found = new Map<number, Set<ErrorCode>>();
  const add = (code: ErrorCode, status: number = ERROR_CODES[code].http) => {
    found.set(status, (found.get(status) ?? new Set()).add(code));
  };
  for (const code of [...followingFrom(route), ...route.problems]) add(code);
  if (pathsOf(route).some((path) => path.includes(":"))) add("InvalidRequest", 414);
  if (route.method !== "GET") add("InvalidRequest", 415);
  add("InvalidRequest", 431);
  const refusals = [...found]
    .map(([status, codes]) => [status, CODES.filter((code) => codes.has(code))] as const)
    .filter(([status]) => !isFailure(status));
  return [...refusals, ...FAILURES].toSorted(([a], [b]) => a - b);
}

function isFailure(status: number): boolean {
  return FAILURES.some(([failure]) => failure === status);
}

function followingFrom({ access, isOfRepository, method }: Route): readonly ErrorCode[] {
  return [
    "InvalidRequest",
    "Unauthorized",
    ...(access === "signed" ? [] : (["RateLimitExceeded"] as const)),
    ...(access === "master" || access === "write" ? (["Forbidden"] as const) : []),
    ...(isOfRepository ? (["RepositoryNotFound"] as const) : []),
    ...(method === "GET" ? [] : (["BodyTooLarge"] as const)),
  ];
}
