import { describe, expect, test } from "vitest";
import { EMPTY_TREE } from "../domain/oid.ts";
import { decodeCommitCursor, encodeCommitCursor } from "./commit-cursor.ts";

describe("the cursor of a list of commits", () => {
  test("comes back as it went", () => {
    const cursor = { from: EMPTY_TREE, skip: 40 };
    expect(decodeCommitCursor(encodeCommitCursor(cursor))).toEqual(cursor);
  });

  test.each(["", "x", Buffer.from(`${EMPTY_TREE}.-1`).toString("base64url"), Buffer.from("HEAD.1").toString("base64url")])(
    "%j is refused",
    (text) => {
      expect(() => decodeCommitCursor(text)).toThrow("cursor in the query is not one that an earlier answer gave.");
    },
  );
});
