// The checker itself: it finds what it is there to find.
import { expect, test } from "vitest";
import { brokenInvariants } from "../support/condition-invariants.ts";

type Given = { readonly type: string; readonly status: string; readonly generation?: number };

function codesOf(conditions: readonly Given[], observedGeneration = 2, reason = "Synced"): string[] {
  const shown = conditions.map(({ type, status, generation = 2 }) => ({
    type,
    status,
    reason,
    message: "A sentence.",
    observedGeneration: generation,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  }));
  const metadata = { name: "a", namespace: "team", uid: "u", resourceVersion: "1", generation: 2 };
  return brokenInvariants({ kind: "RepoSync", metadata, status: { observedGeneration, conditions: shown } }).map(
    (line) => line.split(" ")[0] ?? "",
  );
}

const ready = (status: string, generation = 2): Given => ({ type: "Ready", status, generation });
const reconciling: Given = { type: "Reconciling", status: "True" };
const stalled: Given = { type: "Stalled", status: "True" };

test.each([
  { name: "ready", codes: codesOf([ready("True")]), expected: [] },
  { name: "retrying", codes: codesOf([ready("False"), reconciling]), expected: [] },
  { name: "stalled", codes: codesOf([ready("False"), stalled]), expected: [] },
  { name: "ready and stalled", codes: codesOf([ready("True"), stalled]), expected: ["FAIL0001", "FAIL0004"] },
  { name: "without Ready", codes: codesOf([]), expected: ["FAIL0002"] },
  { name: "unknown and reconciling", codes: codesOf([ready("Unknown"), reconciling]), expected: ["FAIL0003"] },
  { name: "reconciling and stalled", codes: codesOf([ready("False"), reconciling, stalled]), expected: ["FAIL0005"] },
  { name: "of a generation to come", codes: codesOf([ready("False")], 3), expected: ["FAIL0006"] },
  { name: "ready of an older generation", codes: codesOf([ready("True")], 1), expected: ["FAIL0007", "FAIL0009"] },
  { name: "ready by an older condition", codes: codesOf([ready("True", 1)]), expected: ["FAIL0008", "FAIL0009"] },
  {
    name: "not stalled, explicitly",
    codes: codesOf([ready("True"), { type: "Stalled", status: "False" }]),
    expected: ["ABNORMAL"],
  },
  { name: "without a reason", codes: codesOf([ready("True")], 2, ""), expected: ["REASON"] },
])("an object that is $name", ({ codes, expected }) => {
  expect(codes).toEqual(expected);
});
