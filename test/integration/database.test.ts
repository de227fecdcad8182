import { expect, test } from "vitest";
import { createTestDatabase } from "../support/database.ts";

test("bigint columns are numbers and infinity is a number", async () => {
  await using db = await createTestDatabase();
  const { rows } = await db.database.query("SELECT count(*) AS c, 'infinity'::timestamptz AS i FROM refs");
  expect(rows).toEqual([{ c: 0, i: Number.POSITIVE_INFINITY }]);
});
