// Has a program that tests run in a process of its own observed as the tests' own process is.
import { join } from "node:path";
import { EVIDENCE_VARIABLE, keepsEvidence } from "./evidence.ts";

const OBSERVER = join(import.meta.dirname, "observe-processes.ts");

/** Arguments of Node that have what the program starts observed. */
export function observed(args: readonly string[]): readonly string[] {
  return keepsEvidence() ? ["--import", OBSERVER, ...args] : args;
}

/** What such a program needs in its environment. */
export function observingEnvironment(): Readonly<Record<string, string>> {
  const folder = process.env[EVIDENCE_VARIABLE];
  return folder === undefined ? {} : { [EVIDENCE_VARIABLE]: folder };
}
