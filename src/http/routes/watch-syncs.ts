import { z } from "zod";
import { defineRoute, type Route } from "../route.ts";
import { namespaceFilter } from "../schemas.ts";
import { type WatchPorts, watchSyncs as watch } from "../sync-watch.ts";

export const watchSyncs = (ports: WatchPorts): Route =>
  defineRoute({
    name: "watchSyncs",
    tag: "Sync",
    summary: "Changes of syncs, for as long as the client listens",
    description:
      'Lines of JSON: `{"type":"sync","sync":{…}}` for every sync and each change, `{"type":"synced"}` once all that there were have been sent, and `{"type":"deleted","id":"…"}`. Empty lines mean nothing.',
    method: "GET",
    path: "/watch/syncs",
    access: "master",
    query: z.strictObject({ namespace: namespaceFilter }),
    answers: { 200: { stream: "application/x-ndjson" } },
    answer: async ({ query: { namespace }, signal }) => ({
      stream: watch(ports, namespace ?? null, signal),
      contentType: "application/x-ndjson",
    }),
  });
