import { expect, test } from "vitest";
import type { Queryable } from "./database.ts";
import { checkServerVersion } from "./server-version.ts";

function serverOf(version: string, number: number): Queryable {
  return { query: async <R>() => ({ rows: [{ version, number } as R], rowCount: 1 }) };
}

test("PostgreSQL 14 and newer will do", async () => {
  await expect(checkServerVersion(serverOf("14.0", 140_000))).resolves.toBeUndefined();
  await expect(checkServerVersion(serverOf("18.4", 180_004))).resolves.toBeUndefined();
});

test("an older server is refused in a sentence that names both versions", async () => {
  await expect(checkServerVersion(serverOf("13.16", 130_016))).rejects.toMatchObject({
    code: "DatabaseUnsupported",
    message: "Coregit needs PostgreSQL 14 or newer; the database server is 13.16.",
  });
});
