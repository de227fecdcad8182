// The scan at the end of a test run: which of its secrets stand in what it said, and where. Says the kind of a secret, never its value.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type KnownSecret, STATEMENT, TEST_SOURCE, TEXT } from "./evidence.ts";
import { SecretFinder } from "./secret-finder.ts";

export type ScanResult = {
  /** Sentences, each once. */
  readonly leaks: readonly string[];
  readonly secrets: number;
  readonly statements: number;
  readonly bytes: number;
};

export function scanEvidence(folder: string): ScanResult {
  const names = readdirSync(folder);
  const ending = (end: string) => names.filter((name) => name.endsWith(end)).map((name) => join(folder, name));
  const secrets = ending(".secrets").flatMap(readSecrets);
  const finder = new SecretFinder(secrets);
  const leaks = new Set<string>();
  let statements = 0;
  let bytes = 0;
  for (const path of ending(".said")) {
    for (const { test, source, text } of readStatements(path)) {
      statements += 1;
      bytes += text.length;
      for (const kind of finder.kindsIn(text)) leaks.add(`${kind} in ${source}${test === "" ? "" : `, test ${test}`}`);
    }
  }
  return { leaks: [...leaks].sort(), secrets: new Set(secrets.map(({ value }) => value)).size, statements, bytes };
}

function readSecrets(path: string): KnownSecret[] {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as KnownSecret);
}

type Statement = { readonly test: string; readonly source: string; readonly text: Buffer };

function* readStatements(path: string): Generator<Statement> {
  const said = readFileSync(path);
  let test = "";
  for (let start = said.indexOf(STATEMENT); start >= 0; ) {
    const next = said.indexOf(STATEMENT, start + 1);
    const end = next < 0 ? said.length : next;
    const middle = said.indexOf(TEXT, start);
    const source = said.toString("utf8", start + 1, middle);
    const text = said.subarray(middle + 1, end);
    if (source === TEST_SOURCE) test = text.toString();
    else yield { test, source, text };
    start = next;
  }
}
