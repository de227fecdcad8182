import { z } from "zod";
import { defineRoute, type Route } from "../route.ts";
import { namespaceName } from "../schemas.ts";
import { type WatchPorts, watchSyncs as watch } from "../sync-watch.ts";

/** Changes of syncs as lines of JSON, for as long as the client listens. */
export const watchSyncs = (ports: WatchPorts): Route =>
  defineRoute({
    method: "GET",
    path: "/watch/syncs",
    access: "master",
    query: z.strictObject({ namespace: namespaceName.optional() }),
    answer: async ({ query: { namespace }, signal }) => ({
      stream: watch(ports, namespace ?? null, signal),
      contentType: "application/x-ndjson",
    }),
  });
