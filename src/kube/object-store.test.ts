import { describe, expect, test } from "vitest";
import type { KubeObject } from "./object.ts";
import { type Change, ObjectStore } from "./object-store.ts";

function object(name: string, resourceVersion: string, namespace = "team"): KubeObject {
  return { metadata: { name, namespace, uid: `uid-${name}`, resourceVersion } };
}

function setUp() {
  const store = new ObjectStore();
  const seen: string[] = [];
  store.subscribe(({ type, key }: Change) => seen.push(`${type} ${key}`));
  return { store, seen };
}

describe("object store", () => {
  test("tells additions, updates and removals, and nothing for the version it has", () => {
    const { store, seen } = setUp();
    store.upsert(object("a", "1"));
    store.upsert(object("a", "1"));
    store.upsert(object("a", "2"));
    store.remove(object("a", "3"));
    store.remove(object("a", "3"));
    expect(seen).toEqual(["added team/a", "updated team/a", "deleted team/a"]);
  });

  test("a list finds what watches have missed", () => {
    const { store, seen } = setUp();
    for (const name of ["same", "changed", "gone"]) store.upsert(object(name, "1"));
    seen.length = 0;
    expect(store.replace(null, [object("same", "1"), object("changed", "2"), object("new", "1")])).toBe(3);
    expect(seen).toEqual(["resync team/same", "updated team/changed", "added team/new", "deleted team/gone"]);
  });

  test("a list of one namespace leaves the others alone", () => {
    const { store } = setUp();
    store.upsert(object("a", "1", "mine"));
    store.upsert(object("a", "1", "theirs"));
    expect(store.replace("mine", [])).toBe(1);
    expect(store.keys()).toEqual(["theirs/a"]);
  });

  test("keeps neither managed fields nor what kubectl applied last", () => {
    const { store } = setUp();
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{…}", keep: "me" };
    const metadata = { ...object("a", "1").metadata, annotations, managedFields: [{ manager: "kubectl" }] };
    store.upsert({ metadata });
    expect(store.get("team/a")).toEqual({ metadata: { ...object("a", "1").metadata, annotations: { keep: "me" } } });
  });
});
