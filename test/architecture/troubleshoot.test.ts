// The page by which people find their way from a reason: it has every reason once, and says of none that it waits when it does not.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode, retryKind } from "../../src/domain/errors.ts";
import { ROOT, readSources } from "./source-files.ts";

const page = readFileSync(join(ROOT, "docs/operate/troubleshoot.md"), "utf8");

type Row = { readonly reasons: readonly string[]; readonly beside: string };

const rows: readonly Row[] = page
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, first = "", beside = ""]) => ({
    reasons: [...first.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, reason = ""]) => reason),
    beside,
  }))
  .filter(({ reasons }) => reasons.length > 0);

/** Reasons of conditions that are no error codes, as the code writes them. */
function otherReasons(): readonly string[] {
  const files = readSources({ tests: false }).filter(({ path }) => /^src\/(?:resources|operator)\//.test(path));
  const found = files.flatMap(({ text }) => [...text.matchAll(/\breason: "([A-Z][A-Za-z]+)"/g)].map(([, reason = ""]) => reason));
  return found.filter((reason) => !Object.hasOwn(ERROR_CODES, reason));
}

test("docs/operate/troubleshoot.md has every reason that a condition or an answer can have, once, and no other", () => {
  const expected = new Set([...Object.keys(ERROR_CODES), ...otherReasons()]);
  expect(rows.flatMap(({ reasons }) => reasons).toSorted()).toEqual([...expected].toSorted());
});

test("docs/operate/troubleshoot.md says of each reason whether it is tried again", () => {
  const shown = rows.filter(({ beside }) => beside === "Stalled" || beside === "Reconciling");
  const wrong = shown.flatMap(({ reasons, beside }) =>
    reasons.filter((reason) => (retryKind(reason as ErrorCode) === "terminal") !== (beside === "Stalled")),
  );
  expect(wrong).toEqual([]);
  expect(shown.length).toBeGreaterThan(20);
});
