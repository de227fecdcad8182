import { describe, expect, test } from "vitest";
import type { KubeObject } from "../kube/object.ts";
import { FINALIZER } from "./kinds.ts";
import { isDeclarationChange } from "./watches.ts";

const object = (metadata: object, more: object = {}): KubeObject => ({
  metadata: { name: "a", namespace: "team", uid: "1", resourceVersion: "1", generation: 1, ...metadata },
  ...more,
});
const isChange = (previous: KubeObject, now: KubeObject) =>
  isDeclarationChange({ type: "updated", key: "team/a", object: now, previous });

describe("a change of an object", () => {
  test.each([
    ["a status", object({}), object({ resourceVersion: "2" }, { status: { observedGeneration: 1 } })],
    ["the operator's finalizer", object({}), object({ finalizers: [FINALIZER] })],
    ["a label", object({}), object({ labels: { team: "a" } })],
  ])("that adds %s is nobody's declaration", (_, before, after) => {
    expect(isChange(before, after)).toBe(false);
  });

  test.each([
    ["a new generation", object({}), object({ generation: 2 })],
    ["the request of a run", object({}), object({ annotations: { "coregit.dev/requestedAt": "now" } })],
    ["a deletion", object({}), object({ deletionTimestamp: "2026-01-01T00:00:00Z" })],
    ["the loss of the operator's finalizer", object({ finalizers: [FINALIZER] }), object({})],
    ["somebody else's finalizer", object({ finalizers: [FINALIZER] }), object({ finalizers: [FINALIZER, "a/b"] })],
    ["another object of the name", object({}), object({ uid: "2" })],
  ])("by %s is looked at", (_, before, after) => {
    expect(isChange(before, after)).toBe(true);
  });
});
