import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSecret, parseSecret } from "./secret-keys.ts";

describe("the keys of a Secret", () => {
  test.each([
    ["a token", { token: "abc\n" }, { kind: "token", token: "abc" }],
    ["user name and password", { username: "u", password: "p\r\n" }, { kind: "basic", username: "u", password: "p" }],
    ["a token beside a user name", { token: "t", username: "u", password: "" }, { kind: "token", token: "t" }],
  ])("%s make a credential", (_, data, credential) => {
    expect(parseSecret(data as Record<string, string>, "git")).toEqual({ ok: true, credential, caPem: null });
  });

  test.each([
    ["none", {}, "github", "needs the keys token, or username and password"],
    ["an empty token", { token: "\n" }, "github", "needs the keys"],
    ["half a login", { username: "u" }, "git", "username but no password"],
    ["the other half", { password: "p" }, "git", "password but no username"],
    ["two ways in", { token: "t", username: "u", password: "p" }, "git", "both token and password"],
    ["a line break in the token", { token: "a\nb" }, "git", "The key token of the Secret has a line break"],
    ["bytes that are no text", { token: "a\uFFFDb" }, "git", "The key token of the Secret is not UTF-8 text"],
    [
      "a token that no header can hold",
      { token: "tökén" },
      "github",
      "The key token of the Secret has characters that no token has",
    ],
    [
      "a novel",
      { username: "u", password: "x".repeat(8193) },
      "git",
      "The key password of the Secret is longer than any credential",
    ],
    ["an App with GitLab", { githubAppID: "1" }, "gitlab", "only a Connection of provider github"],
    ["half an App", { githubAppID: "1" }, "github", "lacks githubAppInstallationID and githubAppPrivateKey"],
    [
      "an App whose key is none",
      { githubAppID: "1", githubAppInstallationID: "2", githubAppPrivateKey: "s3cret" },
      "github",
      "The key githubAppPrivateKey of the Secret is not a readable private key",
    ],
    [
      "an App whose installation is none",
      { githubAppID: "1", githubAppInstallationID: "x", githubAppPrivateKey: "k" },
      "github",
      "The key githubAppInstallationID",
    ],
    [
      "an App beside a token",
      { githubAppID: "1", githubAppInstallationID: "2", githubAppPrivateKey: "k", token: "t" },
      "github",
      "both token and the keys of a GitHub App",
    ],
    ["text for a certificate", { token: "t", "ca.crt": "hello" }, "git", "no PEM certificate"],
    [
      "a broken certificate",
      { token: "t", "ca.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      "git",
      "Certificate 1 in the key ca.crt of the Secret cannot be read",
    ],
  ] as const)("%s is refused by name", (_, data, provider, message) => {
    expect(parseSecret(data as Record<string, string>, provider)).toEqual({
      ok: false,
      message: expect.stringContaining(message),
    });
  });

  test("no message repeats a value", () => {
    const secret = { token: "s3cr\u0000et", username: "s3cret", password: "s3cret" };
    expect(JSON.stringify(parseSecret(secret, "git"))).not.toContain("s3cr");
  });
});

test("the keys of a GitHub App make one", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const secret = { githubAppID: "12\n", githubAppInstallationID: "34\n", githubAppPrivateKey: pem };
  const credential = { kind: "app", appId: "12", installationId: "34", privateKey: pem };
  expect(parseSecret(secret, "github")).toEqual({ ok: true, credential, caPem: null });
});

describe("certificates", () => {
  let folder = "";
  let pem = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "coregit-ca-"));
    const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout", join(folder, "key")];
    execFileSync("openssl", [...args, "-out", join(folder, "ca")], { stdio: "ignore" });
    pem = readFileSync(join(folder, "ca"), "utf8");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("several are kept, what is between them is not", () => {
    const parsed = parseSecret({ token: "t", "ca.crt": `# root\n${pem}\n# other\n${pem}` }, "gitlab");
    expect(parsed).toEqual({ ok: true, credential: { kind: "token", token: "t" }, caPem: `${pem}${pem}` });
  });

  test("provider git may do with a certificate and no credential", () => {
    expect(parseSecret({ "ca.crt": pem }, "git")).toEqual({ ok: true, credential: null, caPem: pem });
    expect(parseSecret({ "ca.crt": pem }, "github").ok).toBe(false);
  });
});

test("data is base64, stringData is plain and wins", () => {
  const secret = { data: { token: "YWJj", username: "dQ==" }, stringData: { token: "plain" } };
  expect(decodeSecret(secret)).toEqual({ token: "plain", username: "u" });
});
