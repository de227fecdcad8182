// The catalogue of failures and its page for users are the same list.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiCode, ERROR_CODES, type ErrorCode } from "../../src/domain/errors.ts";
import { REMEDIES } from "../../src/domain/remedies.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/errors.md"), "utf8");
const codes = Object.keys(ERROR_CODES) as ErrorCode[];

test("docs/errors.md has every code, with its meaning and what to do, and no other", () => {
  const documented = [...page.matchAll(/^\| `([A-Za-z]+)`<br>/gm)].map(([, code]) => code);
  expect(documented).toEqual(codes);
  for (const code of codes) expect(page).toContain(`\`${apiCode(code)}\``);
});

test.each(codes)("%s says what happened and what to do in whole sentences", (code) => {
  expect(ERROR_CODES[code].meaning).toMatch(/^[A-Z].*\.$/);
  expect(REMEDIES[code]).toMatch(/^[A-Z].*\.$/);
});
