import { expect, test } from "vitest";
import { EMPTY_TREE, type Oid, parseOid } from "../domain/oid.ts";
import { walkHistory } from "./history.ts";
import type { Commit } from "./store.ts";

const oid = (digit: string): Oid => parseOid(digit.repeat(40));

/** `child: [date, ...parents]`, one digit a commit. */
function history(commits: Readonly<Record<string, readonly [number, ...string[]]>>) {
  return async (wanted: Oid): Promise<Commit> => {
    const [timestamp, ...parents] = commits[wanted.charAt(0)] ?? [0];
    const signature = { name: "Ada", email: "ada@example.com", timestamp, timezone: "+0000" };
    return { oid: wanted, tree: EMPTY_TREE, parents: parents.map(oid), author: signature, committer: signature, message: "" };
  };
}

const shown = async (read: (oid: Oid) => Promise<Commit>, limit: number, skip = 0) =>
  (await walkHistory(read, oid("f"), { limit, skip })).map((commit) => commit.oid.charAt(0)).join("");

test("a commit comes after its children and newer branches first", async () => {
  const read = history({ f: [9, "e", "d"], e: [3, "a"], d: [8, "c"], c: [2, "a"], a: [1] });
  expect(await shown(read, 10)).toBe("fdeca");
  expect(await shown(read, 2, 1)).toBe("de");
  expect(await shown(read, 0)).toBe("");
  expect(await shown(read, 5, 9)).toBe("");
});

test("a commit that two branches reach is shown once, and clocks that went backwards do no harm", async () => {
  const read = history({ f: [1, "e", "d"], e: [5, "a"], d: [5, "a"], a: [9] });
  expect(await shown(read, 10)).toBe("fead");
});
