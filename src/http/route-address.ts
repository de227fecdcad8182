// A route's address as Fastify has it: a last part `:name*`, which takes the rest with its slashes, is `*` there.
import type { FastifyRequest } from "fastify";
import type { Route } from "./route.ts";

const REST = /:(\w+)\*$/;

export function patternOf(path: string): string {
  return path.replace(REST, "*");
}

/** The parts of the address by the names that the route gives them, decoded. */
export function paramsOf(route: Pick<Route, "path">, request: Pick<FastifyRequest, "params">): Record<string, unknown> {
  const { "*": rest, ...params } = request.params as Record<string, unknown>;
  const [, name] = REST.exec(route.path) ?? [];
  return name === undefined ? { ...params, ...(rest === undefined ? {} : { "*": rest }) } : { ...params, [name]: rest };
}
