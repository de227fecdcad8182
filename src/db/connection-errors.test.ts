import pg from "pg";
import { describe, expect, test } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import { isConnectionFailure, translateDatabaseError } from "./connection-errors.ts";

function refusal(state: string): pg.DatabaseError {
  const error = new pg.DatabaseError("refused", 7, "error");
  error.code = state;
  return error;
}

describe("no usable connection", () => {
  test.each(["57P01", "57P03", "08006", "08P01", "28P01", "3D000", "53300", "25006"])("SQLSTATE %s", (state) => {
    expect(isConnectionFailure(refusal(state))).toBe(true);
  });

  test("an error of the system, and a deadline of pg without a code", () => {
    expect(isConnectionFailure(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }))).toBe(true);
    expect(isConnectionFailure(new Error("Query read timeout"))).toBe(true);
  });

  test("becomes DatabaseUnavailable, with the code and the cause but without pg's words", () => {
    const cause = Object.assign(new Error("connect to postgres://user:secret@host"), { code: "ECONNREFUSED" });
    const translated = translateDatabaseError(cause);
    expect(translated).toMatchObject({
      code: "DatabaseUnavailable",
      message: "The database cannot be reached (ECONNREFUSED).",
      cause,
    });
  });
});

describe("passed on as it is", () => {
  test.each(["23505", "40001", "42601", "57014", "53100"])("SQLSTATE %s", (state) => {
    const error = refusal(state);
    expect(translateDatabaseError(error)).toBe(error);
  });

  test("a value that cannot be sent, and an error of this program", () => {
    for (const error of [new TypeError("circular"), new CoregitError("RefMoved", "Moved.")]) {
      expect(translateDatabaseError(error)).toBe(error);
    }
  });
});
