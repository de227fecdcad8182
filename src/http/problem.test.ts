import { describe, expect, test } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import { problemOf } from "./problem.ts";

describe("a problem", () => {
  test("has the status, sentence, code and details of its error", () => {
    const error = new CoregitError("Conflict", "Both sides changed a.", { details: { run_id: "run_1" } });
    expect(problemOf(error)).toEqual({
      status: 409,
      body: { run_id: "run_1", error: "Both sides changed a.", code: "CONFLICT" },
    });
  });

  test("never lets details stand for its sentence or code", () => {
    const error = new CoregitError("Conflict", "Said.", { details: { error: "other", code: "OTHER" } });
    expect(problemOf(error).body).toEqual({ error: "Said.", code: "CONFLICT" });
  });

  test.each([new Error("password=hunter2"), "thrown text", undefined, Object.assign(new Error("x"), { statusCode: 500 })])(
    "says nothing of a defect (%s)",
    (thrown) => {
      const body = { error: "An internal error occurred; the log has the details.", code: "INTERNAL" };
      expect(problemOf(thrown)).toEqual({ status: 500, body });
    },
  );

  test("of the framework keeps its status and gets our sentence", () => {
    const error = Object.assign(new Error("body"), { code: "FST_ERR_CTP_BODY_TOO_LARGE", statusCode: 413 });
    expect(problemOf(error)).toMatchObject({ status: 413, body: { code: "BODY_TOO_LARGE" } });
    expect(problemOf(Object.assign(new Error("Unexpected token"), { statusCode: 400 }))).toEqual({
      status: 400,
      body: { error: "The request is malformed.", code: "INVALID_REQUEST" },
    });
  });
});
