import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import { objectName } from "../../resources/fields.ts";
import type { Declarations } from "../../sync/declarations.ts";
import { syncAnswer } from "../answers/sync.ts";
import { presentSync } from "../present/present-sync.ts";
import { defineRoute, type Route } from "../route.ts";
import { namespaceName } from "../schemas.ts";

const params = z.object({ namespace: namespaceName, name: objectName() });

export const getSync = (declarations: Declarations): Route =>
  defineRoute({
    name: "getSync",
    tag: "Sync",
    summary: "A sync by its name",
    description: "A resource, a file and the API may each have one of the same name; the resource's is answered first.",
    method: "GET",
    path: "/syncs/:namespace/:name",
    access: "master",
    params,
    answers: { 200: syncAnswer },
    problems: ["SyncNotFound"],
    async answer({ params: { namespace, name } }) {
      const named = (await declarations.listSyncs({ namespace })).filter((sync) => sync.name === name);
      const sync = ORDER.map((kind) => named.find((candidate) => candidate.owner.kind === kind)).find(Boolean);
      if (sync === undefined) throw new CoregitError("SyncNotFound", `There is no sync ${namespace}/${name}.`);
      return { status: 200, body: presentSync(sync) };
    },
  });

const ORDER = ["resource", "file", "api"] as const;
