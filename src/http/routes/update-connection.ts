import { z } from "zod";
import type { ConnectionChanges } from "../../sync/connection-changes.ts";
import { UPDATED, updatedAnswer } from "../answers/updated.ts";
import { checkWays, connectionBaseUrl, connectionLabel, credentialFields, credentialOf } from "../connection-body.ts";
import { TRY_OUT_PROBLEMS } from "../connection-problems.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";

const body = z
  .strictObject({ label: connectionLabel.optional(), ...credentialFields, base_url: connectionBaseUrl.optional() })
  .superRefine(checkWays);

export const updateConnection = (connections: ConnectionChanges): Route =>
  defineRoute({
    name: "updateConnection",
    tag: "Connections",
    summary: "Change a connection",
    description:
      "What is left out stays. A credential is tried out first; another `base_url` needs the credential that is meant for it. Syncs that failed are run again.",
    method: "PATCH",
    path: "/connections/:id",
    access: "master",
    params: z.object({ id: rowId }),
    body,
    example: { label: "Sync Token 2" },
    answers: { 200: updatedAnswer },
    problems: ["ConnectionNotFound", "Managed", ...TRY_OUT_PROBLEMS],
    async answer({ params: { id }, body: given, signal }) {
      const credential = credentialOf(given) ?? undefined;
      await connections.update(id, { label: given.label, baseUrl: given.base_url, credential }, signal);
      return { status: 200, body: UPDATED };
    },
  });
