import { describe, expect, it } from "vitest";
import { newObject } from "../domain/object-codec.ts";
import { listOids, ObjectPositions, readEntries } from "./pack-index.ts";
import { writePack } from "./pack-writer.ts";

const indexOf = (count: number): Buffer =>
  Buffer.from(writePack(Array.from({ length: count }, (_, index) => newObject("blob", Buffer.from(`file ${index}`)))).idx);

describe("the positions of a pack's objects", () => {
  it.each([0, 1, 2, 300])("list %d objects in the order in which they lie in the pack", (count) => {
    const index = indexOf(count);
    const byOffset = readEntries(index).toSorted((left, right) => left.offset - right.offset);
    expect(new ObjectPositions(index).inPackOrder(listOids(index))).toEqual(byOffset.map(({ oid }) => oid));
  });

  it("find each object of the pack by its bytes, and no other", () => {
    const index = indexOf(300);
    const positions = new ObjectPositions(index);
    expect(listOids(index).map((oid) => positions.positionOf(oid))).toEqual([...Array(300).keys()]);
    expect(positions.has(newObject("blob", Buffer.from("another")).oid)).toBe(false);
  });
});
