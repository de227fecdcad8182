// Whether a principal may call a route, from the access that the route declares. The one place that asks, before a body is
// read. Public repositories are the only case that needs a look at the repository.
import type { FastifyRequest } from "fastify";
import { CoregitError } from "../domain/errors.ts";
import type { RepositoryStore } from "../repositories/store.ts";
import { principalOf } from "./admission.ts";
import { findRepository } from "./find-repository.ts";
import { authorize, isGranted } from "./principal.ts";
import type { Route } from "./route.ts";
import { repositoryAddress } from "./schemas.ts";
import { validate } from "./validate.ts";

/** @throws CoregitError `Forbidden`, or `RepositoryNotFound` for what the principal may not know of. */
export type Guard = (route: Pick<Route, "access">, request: FastifyRequest) => Promise<void>;

export function createGuard(store: Pick<RepositoryStore, "find">): Guard {
  return async ({ access }, request) => {
    const principal = principalOf(request);
    if (principal.kind === "master" || access === "any") return;
    if (access !== "read" && access !== "write") {
      throw new CoregitError("Forbidden", "Only the master key may do this.");
    }
    const address = validate(repositoryAddress, request.params, "address");
    if (!isGranted(principal, address, access)) authorize(principal, await findRepository(store, address), access);
  };
}
