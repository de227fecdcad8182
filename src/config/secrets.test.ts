import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Config } from "./config.ts";
import { parseConfig } from "./parse-config.ts";
import { loadStandaloneSecrets } from "./secrets.ts";

let dataDir = "";
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "coregit-secrets-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function config(change: Partial<Config> = {}): Config {
  const flags = { COREGIT_DATA_DIR: join(dataDir, "state") };
  const parsed = parseConfig({ command: "standalone", environment: {}, flags, workingDirectory: "/", isTty: false });
  return { ...parsed.config, ...change };
}

const file = (name: string) => join(dataDir, "state", name);

test("both keys are made once, for their owner only, and used again", async () => {
  const first = await loadStandaloneSecrets(config());
  expect(first.masterKey).toMatch(/^cgk_live_[A-Za-z0-9_-]{43}$/);
  expect(first.encryptionKeys.map((key) => key.length)).toEqual([32]);
  expect(readFileSync(file("master-key"), "utf8")).toBe(`${first.masterKey}\n`);
  expect(["master-key", "encryption-key"].map((name) => statSync(file(name)).mode & 0o777)).toEqual([0o600, 0o600]);
  expect(await loadStandaloneSecrets(config())).toEqual(first);
});

test("starts at once agree on one key and leave no draft behind", async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => loadStandaloneSecrets(config())));
  expect(new Set(all.map(({ masterKey }) => masterKey)).size).toBe(1);
  expect(readdirSync(join(dataDir, "state")).sort()).toEqual(["encryption-key", "master-key"]);
});

test("rights that are too wide are taken back", async () => {
  await loadStandaloneSecrets(config());
  chmodSync(file("encryption-key"), 0o644);
  await loadStandaloneSecrets(config());
  expect(statSync(file("encryption-key")).mode & 0o777).toBe(0o600);
});

test("a key that is set wins, and client commands find it", async () => {
  await loadStandaloneSecrets(config());
  const masterKey = "cgk_live_0123456789abcdef";
  expect((await loadStandaloneSecrets(config({ masterKey }))).masterKey).toBe(masterKey);
  expect(readFileSync(file("master-key"), "utf8")).toBe(`${masterKey}\n`);
  expect(statSync(file("master-key")).mode & 0o777).toBe(0o600);
});

test("a file that holds no key is named, and kept", async () => {
  await loadStandaloneSecrets(config());
  writeFileSync(file("encryption-key"), "hello\n");
  await expect(loadStandaloneSecrets(config())).rejects.toThrow(`${file("encryption-key")} does not hold the key`);
  expect(readFileSync(file("encryption-key"), "utf8")).toBe("hello\n");
});
