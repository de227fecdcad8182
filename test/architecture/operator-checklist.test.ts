// The page of what a good operator does names tests: each exists, and no point is missing or without a word.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "./source-files.ts";

const POINTS = 66;
const STATES = ["yes", "release"];

type Point = { readonly number: number; readonly state: string; readonly proof: string; readonly links: readonly Link[] };
type Link = { readonly name: string; readonly file: string };

const page = readFileSync(join(ROOT, "docs/operator-checklist.md"), "utf8");
const points: readonly Point[] = page
  .split("\n")
  .map((line) => /^\| (\d+) \| .+? \| ([a-z ]+) \| (.*) \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, number, state = "", proof = ""]) => {
    const links = [...proof.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+)\)/g)];
    return { number: Number(number), state, proof, links: links.map(([, name = "", file = ""]) => ({ name, file })) };
  });

/** Whether a test of this name, or with this in its name, is in the file. */
function isThere({ name, file }: Link): boolean {
  const path = join(ROOT, file);
  return existsSync(path) && readFileSync(path, "utf8").includes(name);
}

describe("the operator checklist", () => {
  test("has every point once, in order, proved or left to a release", () => {
    expect(points.map(({ number }) => number)).toEqual(Array.from({ length: POINTS }, (_, index) => index + 1));
    expect(points.filter(({ state }) => !STATES.includes(state))).toEqual([]);
  });

  test("names only tests that exist", () => {
    const missing = points.flatMap(({ number, links }) =>
      links.filter((link) => !isThere(link)).map(({ name, file }) => `${number}: ${name} (${file})`),
    );
    expect(missing).toEqual([]);
  });

  test("claims nothing without a test, and says of everything else what is missing", () => {
    expect(points.filter(({ state, links }) => state === "yes" && links.length === 0)).toEqual([]);
    const unexplained = points.filter(
      ({ state, proof }) => state !== "yes" && proof.replace(/\[[^\]]+\]\([^)]+\)|<br>/g, "") === "",
    );
    expect(unexplained).toEqual([]);
  });
});
