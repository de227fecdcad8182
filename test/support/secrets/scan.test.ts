import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { changedEnvironment } from "../changed-environment.ts";
import { startProgram } from "../running-program.ts";
import { silentLogger } from "../silent-logger.ts";
import { knowSecretsIn, knowSecretsOfEnvironment } from "./declared-secrets.ts";
import { EVIDENCE_VARIABLE, keepSaid, knowSecret, TEST_SOURCE } from "./evidence.ts";
import { observed } from "./observed-program.ts";
import { scanEvidence } from "./scan.ts";
import { SecretFinder } from "./secret-finder.ts";

const GIT_PROCESS = join(import.meta.dirname, "../../../src/git/git-process.ts");
const SECRET = "hunter2-and-more?&\"+'\\ü";
const PEM = `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(2)}\n${"xy/z".repeat(16)}\n-----END PRIVATE KEY-----\n`;

const has = (text: string, secret = SECRET): boolean =>
  new SecretFinder([{ kind: "a password", value: secret }]).kindsIn(Buffer.from(text)).size === 1;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a secret is found", () => {
  test.each([
    ["as it is", SECRET],
    ["in a line", `fatal: ${SECRET}, they said`],
    ["in JSON", JSON.stringify({ token: SECRET })],
    ["in a URL", `https://ann:${encodeURIComponent(SECRET)}@example.com/`],
    ["in a Basic credential", `authorization: Basic ${base64(`ann:${SECRET}`)}`],
    ["in base64url", Buffer.from(`{"a":"${SECRET}"}`).toString("base64url")],
    ["in hexadecimal digits", Buffer.from(SECRET).toString("hex")],
  ])("%s", (_case, text) => {
    expect(has(text)).toBe(true);
  });

  test("whatever stands around it, before and in the encoding", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 20 });
    const secret = fc.string({ minLength: 12, maxLength: 60 }).filter((value) => !value.includes("\n"));
    fc.assert(
      fc.property(secret, text, text, (value, before, after) => {
        const whole = `${before}${value}${after}`;
        const encodings = [whole, base64(whole), Buffer.from(whole).toString("base64url"), Buffer.from(whole).toString("hex")];
        return encodings.every((each) => has(`${before}${each}${after}`, value));
      }),
    );
  });

  test("of several lines, by one of them, however they are broken", () => {
    const [, first = ""] = PEM.split("\n");
    for (const text of [PEM, JSON.stringify(PEM), PEM.replaceAll("\n", ""), `cut off: ${first}`, base64(PEM)]) {
      expect(has(text, PEM)).toBe(true);
    }
    expect(has("-----BEGIN PRIVATE KEY-----", PEM)).toBe(false);
  });
});

test("nothing else is taken for a secret", () => {
  for (const text of ["", "hun", SECRET.slice(1), base64(SECRET).slice(6), "hunter2-and-more"]) expect(has(text)).toBe(false);
});

describe("the scan of a run", () => {
  let folder: string;
  let environment: Disposable;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "coregit-evidence-"));
    environment = changedEnvironment({ [EVIDENCE_VARIABLE]: folder });
  });
  afterEach(() => {
    environment[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  test("names the kind of what leaked, where and in which test, and never the secret", () => {
    keepSaid(TEST_SOURCE, "a.test.ts > one");
    keepSaid("a log line", `the token is ${SECRET}`);
    keepSaid(TEST_SOURCE, "a.test.ts > two");
    keepSaid("an answer", "nothing");
    knowSecret("a token", SECRET);
    const { leaks, ...counts } = scanEvidence(folder);
    expect(leaks).toEqual(["a token in a log line, test a.test.ts > one"]);
    expect(counts).toMatchObject({ secrets: 1, statements: 2 });
  });

  test("sees lines of loggers before they are redacted, bound fields and causes included", () => {
    knowSecret("a token", SECRET);
    silentLogger.warn({ error: new Error("outer", { cause: new Error(`no ${base64(SECRET)}`) }) }, "It failed.");
    expect(scanEvidence(folder).leaks).toEqual(["a token in a log line"]);
    silentLogger.child({ url: `https://x:${encodeURIComponent(SECRET)}@h/` });
    expect(scanEvidence(folder).statements).toBe(2);
  });

  test("sees the command line of what the program starts, and not of what a test does", () => {
    knowSecret("a token", SECRET);
    const command = JSON.stringify({ gitDir: null, deadlineMs: 10_000, args: ["-c", `user.name=${SECRET}`, "version"] });
    const script = `import { runGit } from ${JSON.stringify(GIT_PROCESS)}; await runGit(${command}, { maxOutputBytes: 1024 });`;
    execFileSync(process.execPath, observed(["--input-type=module", "--eval", script]));
    expect(scanEvidence(folder)).toMatchObject({ leaks: ["a token in the command line of git"], statements: 2 });
  });

  test("sees what a program wrote to both streams, whole lines of it, though it was killed and nobody reads it", async () => {
    knowSecret("a token", SECRET);
    knowSecret("a password", "password-of-a-program");
    const [before, after] = [SECRET.slice(0, 9), SECRET.slice(9)].map((part) => JSON.stringify(part));
    const say = `process.stdout.write(${before}); setTimeout(() => process.stdout.write(${after} + "\\nend\\n"), 20);`;
    const script = `${say} console.error("password-of-a-program"); setInterval(() => undefined, 1000);`;
    {
      await using program = startProgram(process.execPath, { args: ["--eval", script], logPath: join(folder, "log") });
      await expect.poll(() => readFileSync(join(folder, "log"), "utf8"), { timeout: 10_000 }).toContain("end");
      program.child.kill("SIGKILL");
    }
    const where = "in the output of node --eval";
    expect(scanEvidence(folder).leaks).toEqual([`a password ${where}`, `a token ${where}`]);
  });

  test("sees what a program answers over HTTP, and learns what it answers to be kept", () => {
    knowSecret("a token", SECRET);
    const answer = JSON.stringify(JSON.stringify({ message: SECRET, token: "token-that-was-made" }));
    const script = `import { createServer } from "node:http";
      const server = createServer((_, response) => response.setHeader("content-type", "application/json").end(${answer}));
      server.listen(0, "127.0.0.1", async () => {
        const base = "http://127.0.0.1:" + server.address().port;
        for (const path of ["/v1/tokens", "/v1/repos"]) await (await fetch(base + path)).text();
        server.close();
      });`;
    execFileSync(process.execPath, observed(["--input-type=module", "--eval", script]));
    const where = "in the program's answer to GET";
    expect(scanEvidence(folder).leaks).toEqual([`a token ${where}`, `the token of an answer of /v1/tokens ${where}`]);
  });

  test("learns secrets from fields and variables by their names", () => {
    knowSecretsIn("a request", {
      access_token: "token-of-a-request",
      nested: [{ password: "password-of-one" }],
      name: "name-of-nothing",
    });
    knowSecretsOfEnvironment({
      COREGIT_MASTER_KEY: "master-key-of-a-program",
      COREGIT_DATABASE_URL: "postgres://coregit:password-of-a-database@h/",
      PATH: "/usr/local/bin:/usr/bin",
    });
    keepSaid("a table", "token-of-a-request password-of-one name-of-nothing /usr/local/bin:/usr/bin");
    keepSaid("an output", "master-key-of-a-program password-of-a-database");
    expect(scanEvidence(folder).leaks).toEqual([
      "COREGIT_MASTER_KEY in an output",
      "the access_token of a request in a table",
      "the password of a postgres: URL in an output",
      "the password of a request in a table",
    ]);
  });
});
