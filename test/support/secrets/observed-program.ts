// Has a program that tests run in a process of its own observed: what it starts, as in the tests' own process, and what it answers.
import { join } from "node:path";
import { EVIDENCE_VARIABLE, keepsEvidence } from "./evidence.ts";

const OBSERVERS = ["observe-processes.ts", "observe-answers.ts"].map((name) => join(import.meta.dirname, name));

/** Arguments of Node that have the program observed. */
export function observed(args: readonly string[]): readonly string[] {
  return keepsEvidence() ? [...OBSERVERS.flatMap((observer) => ["--import", observer]), ...args] : args;
}

/** What such a program needs in its environment. */
export function observingEnvironment(): Readonly<Record<string, string>> {
  const folder = process.env[EVIDENCE_VARIABLE];
  return folder === undefined ? {} : { [EVIDENCE_VARIABLE]: folder };
}
