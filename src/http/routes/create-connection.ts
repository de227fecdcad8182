import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { Catalog } from "../../sync/catalog.ts";
import type { ConnectionChanges } from "../../sync/connection-changes.ts";
import { newConnectionAnswer } from "../answers/connection.ts";
import { checkWays, connectionBaseUrl, connectionLabel, credentialFields, credentialOf } from "../connection-body.ts";
import { TRY_OUT_PROBLEMS } from "../connection-problems.ts";
import { presentNewConnection } from "../present/present-connection.ts";
import { defineRoute, type Route } from "../route.ts";

type Ports = { readonly connections: ConnectionChanges; readonly catalog: Catalog };

const body = z
  .strictObject({
    provider: z.enum(["github", "gitlab", "git"]),
    label: connectionLabel,
    ...credentialFields,
    base_url: connectionBaseUrl.optional(),
  })
  .superRefine((given, context) => {
    checkWays(given, context);
    const problem = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
    if (given.app !== undefined && given.provider !== "github") problem("app", "is for provider github only");
    if (given.provider !== "git" && credentialOf(given) === null) {
      problem("access_token", "is required, or username and password, or for GitHub an app");
    }
  });

export const createConnection = ({ connections, catalog }: Ports): Route =>
  defineRoute({
    name: "createConnection",
    tag: "Connections",
    summary: "Create a connection",
    description:
      "The credential is tried out first: an account's name, scopes and end are what the provider says. It is never answered.",
    method: "POST",
    path: "/connections",
    access: "master",
    body,
    example: { provider: "github", label: "Sync Token", access_token: "ghp_xxxxxxxxxxxx" },
    answers: { 201: newConnectionAnswer },
    problems: ["ConnectionNotFound", ...TRY_OUT_PROBLEMS],
    async answer({ body: given, signal }) {
      const { provider, label, base_url: baseUrl = null } = given;
      const { id } = await connections.create({ provider, label, baseUrl, credential: credentialOf(given) }, signal);
      const connection = await catalog.readConnection(id);
      if (connection === null) throw new CoregitError("ConnectionNotFound", "The connection was deleted as soon as it was made.");
      return { status: 201, body: presentNewConnection(connection) };
    },
  });
