// What a test run says to the outside, and the secrets that are in use in it, kept for the scan at its end. Each process appends to
// two files of its own in the folder that `npm test` names, at once, so that one that is killed has kept all. Without a folder
// nothing is kept.
import { appendFileSync } from "node:fs";
import { join } from "node:path";

/** Names the folder. */
export const EVIDENCE_VARIABLE = "COREGIT_TEST_EVIDENCE";
/** Shorter ones are in texts by chance. */
const SHORTEST_SECRET = 12;
/** Begin a statement, and the text in it. */
export const STATEMENT = 0x1e;
export const TEXT = 0x1f;
/** The source of a statement that names the test of those after it. */
export const TEST_SOURCE = "test";

export type KnownSecret = { readonly kind: string; readonly value: string };

/** From now on the run may not say it. One that is too short to be told from other text is not looked for. */
export function knowSecret(kind: string, value: string): void {
  if (value.length < SHORTEST_SECRET) return;
  const known: KnownSecret = { kind, value };
  append("secrets", `${JSON.stringify(known)}\n`);
}

/** Keeps what `source` said. */
export function keepSaid(source: string, text: string): void {
  append("said", `${String.fromCharCode(STATEMENT)}${source}${String.fromCharCode(TEXT)}${text}`);
}

/** Whether it is worth making a text to be kept. */
export function keepsEvidence(): boolean {
  return evidenceFolder() !== null;
}

function append(what: "secrets" | "said", text: string): void {
  const folder = evidenceFolder();
  if (folder !== null) appendFileSync(join(folder, `${process.pid}.${what}`), text, { mode: 0o600 });
}

function evidenceFolder(): string | null {
  return process.env[EVIDENCE_VARIABLE] || null;
}
