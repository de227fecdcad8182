import { z } from "zod";
import { CoregitError } from "../../domain/errors.ts";
import type { Catalog } from "../../sync/catalog.ts";
import { connectionAnswer } from "../answers/connection.ts";
import { presentConnection } from "../present/present-connection.ts";
import { defineRoute, type Route } from "../route.ts";
import { rowId } from "../schemas.ts";

export const getConnection = (catalog: Catalog): Route =>
  defineRoute({
    name: "getConnection",
    tag: "Connections",
    summary: "A connection",
    description: "Of any owner. Its credential is never answered.",
    method: "GET",
    path: "/connections/:id",
    access: "master",
    params: z.object({ id: rowId }),
    answers: { 200: connectionAnswer },
    problems: ["ConnectionNotFound"],
    async answer({ params: { id } }) {
      const connection = await catalog.readConnection(id);
      if (connection === null) throw new CoregitError("ConnectionNotFound", `There is no connection ${id}.`);
      return { status: 200, body: presentConnection(connection) };
    },
  });
