// Global setup of the test projects that need PostgreSQL: the server of COREGIT_TEST_DATABASE_URL, whose role must be
// allowed to create databases, or one of the tests' own for the time of the run. `createTestDatabase` uses it.

import type { TestProject } from "vitest/node";
import { startTemporaryPostgres } from "./temporary-postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of a database on the server under test; tests create their own databases beside it. */
    readonly postgresUrl: string;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.COREGIT_TEST_DATABASE_URL;
  if (given !== undefined && given !== "") {
    project.provide("postgresUrl", given);
    return undefined;
  }
  const server = await startTemporaryPostgres();
  project.provide("postgresUrl", server.url);
  return async () => await server[Symbol.asyncDispose]();
}
