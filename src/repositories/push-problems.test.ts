import { describe, expect, test } from "vitest";
import { type Oid, parseOid } from "../domain/oid.ts";
import { judgeCommands } from "./push-problems.ts";

const A = parseOid("a".repeat(40));
const B = parseOid("b".repeat(40));
const NOW = {
  refs: new Map([
    ["refs/heads/main", A],
    ["refs/heads/x/y", A],
    ["refs/heads/kept/a", A],
  ]),
  defaultBranch: "main",
  protectedBranches: ["kept/*"],
};

const command = (name: string, expected: Oid | null, next: Oid | null) => ({ name: `refs/heads/${name}`, expected, next });
const judge = (...commands: ReturnType<typeof command>[]) => Object.fromEntries(judgeCommands(commands, NOW));

describe("commands of a push", () => {
  test("that move, make and delete what is as expected have no problem", () => {
    expect(judge(command("main", A, B), command("new", null, B), command("x/y", A, null))).toEqual({});
  });

  test.each([
    ["a stale move", command("main", B, A), "fetch first"],
    ["a branch that is there already", command("main", null, B), "fetch first"],
    ["a branch that is gone", command("gone", A, B), "fetch first"],
    ["a stale deletion", command("x/y", B, null), "stale info"],
    ["a deletion of the default branch", command("main", A, null), "deletion of the current branch prohibited"],
    [
      "a deletion of a protected branch",
      command("kept/a", A, null),
      "kept/a is protected by the pattern kept/*: it cannot be deleted.",
    ],
    ["a branch that differs in case only", command("Main", null, B), "it cannot exist beside refs/heads/main"],
    ["a deletion of nothing", command("gone", null, null), "no such ref"],
    ["a folder of a branch", command("x", null, B), "it cannot exist beside refs/heads/x/"],
    ["a branch below a branch", command("main/z", null, B), "it cannot exist beside refs/heads/main"],
  ])("%s is a problem", (_, given, problem) => {
    expect(judge(given)).toEqual({ [given.name]: problem });
  });

  test("may put a branch where a folder of deleted branches was", () => {
    expect(judge(command("x/y", A, null), command("x", null, B))).toEqual({});
  });

  test("of two that do not fit beside each other only the first is fine", () => {
    expect(judge(command("n", null, B), command("n/m", null, B))).toEqual({
      "refs/heads/n/m": "it cannot exist beside refs/heads/n",
    });
  });

  test("that do not fit beside a branch whose deletion is refused are refused too", () => {
    expect(judge(command("main", B, null), command("main/z", null, B))).toHaveProperty(["refs/heads/main/z"]);
  });
});
