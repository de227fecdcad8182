import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact, redactFields } from "./redact.ts";

// Put together at run time, so that no scanner takes this file for a leak.
const secret = (prefix: string, length = 36) => prefix + "aB3dE5fG7h".repeat(6).slice(0, length);
const pem = (kind: string) =>
  `-----BEGIN ${kind}PRIVATE KEY-----\nMIIEvQ${"x".repeat(80)}\nabc+/=\n-----END ${kind}PRIVATE KEY-----`;

describe("a text", () => {
  it.each([
    ["https://user:hunter22@example.com/a.git", "https://[redacted]@example.com/a.git"],
    [
      `fatal: unable to access 'https://${secret("x")}@example.com/': 403`,
      "fatal: unable to access 'https://[redacted]@example.com/': 403",
    ],
    ["postgres://coregit:p@ss@db:5432/coregit", "postgres://[redacted]@db:5432/coregit"],
    [`token ${secret("ghp_")} was refused`, "token [redacted] was refused"],
    [secret("github_pat_", 50), "[redacted]"],
    [secret("ghs_"), "[redacted]"],
    [secret("glpat-", 20), "[redacted]"],
    [secret("gldt-", 20), "[redacted]"],
    [secret("cgk_live_", 32), "[redacted]"],
    [secret("cgt_", 43), "[redacted]"],
    [`Authorization: Basic ${secret("", 24)}`, "Authorization: [redacted]"],
    [`authorization: Bearer ${secret("", 24)}\nHost: x`, "authorization: [redacted]\nHost: x"],
    [`PRIVATE-TOKEN: ${secret("", 20)}`, "PRIVATE-TOKEN: [redacted]"],
    [`{"x-api-key":"${secret("", 20)}","a":1}`, '{"x-api-key":"[redacted]","a":1}'],
    ["GET /a?access_token=abc123&page=2", "GET /a?access_token=[redacted]&page=2"],
    [`key:\n${pem("RSA ")}\nend`, "key:\n[redacted]\nend"],
    [pem(""), "[redacted]"],
    [pem("EC ").replaceAll("\n", "\\n"), "[redacted]"],
    [pem("").slice(0, 60), "[redacted]"],
    [`eyJhbGciOiJIUzI1NiJ9.${secret("eyJ", 20)}.${secret("", 20)}`, "[redacted]"],
  ])("loses its secret: %#", (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it.each([
    "https://example.com/a/b.git?x=1#y",
    "mail to a@example.com about https://example.com",
    "e83c5163316f89bfbde7d9ab23ca2e25604af290",
    "the token is missing",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "git@example.com:a/b.git",
  ])("without a secret stays as it is: %j", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("takes no more than linear time", () => {
    const hostile = [
      "https://".repeat(20_000),
      "a://".concat("@".repeat(200_000)),
      "-----BEGIN PRIVATE KEY-----".repeat(8000),
      "authorization: ".repeat(15_000),
      "eyJ".repeat(60_000),
      "a".repeat(300_000),
      `?token=${" ".repeat(200_000)}`,
    ];
    for (const text of hostile) {
      const before = process.cpuUsage();
      redact(text);
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
    }
  });
});

describe("log fields", () => {
  it("lose values under a secret's name and secrets in any other", () => {
    const fields = {
      remote: "https://user:hunter22@example.com/a.git",
      credential: { kind: "token", token: "x" },
      headers: { Authorization: "x", "private-token": "y", "content-type": "text/plain" },
      api_key: "x",
      nested: [{ password: "x", note: `see ${secret("ghp_")}` }],
      count: 3,
      missing: null,
      secretRef: { name: "github" },
    };
    expect(redactFields(fields)).toEqual({
      remote: "https://[redacted]@example.com/a.git",
      credential: "[redacted]",
      headers: { Authorization: "[redacted]", "private-token": "[redacted]", "content-type": "text/plain" },
      api_key: "[redacted]",
      nested: [{ password: "[redacted]", note: "see [redacted]" }],
      count: 3,
      missing: null,
      secretRef: { name: "github" },
    });
  });

  it("hold errors as plain fields, causes included", () => {
    const cause = new Error("connect to https://a:b@example.com failed");
    const fields = redactFields({ error: Object.assign(new TypeError("outer", { cause }), { code: "X", token: "t" }) });
    expect(fields).toMatchObject({
      error: {
        name: "TypeError",
        message: "outer",
        code: "X",
        token: "[redacted]",
        cause: { message: "connect to https://[redacted]@example.com failed" },
      },
    });
    expect(JSON.stringify(fields)).not.toContain("a:b@");
  });

  it("may be endless or anything else", () => {
    const endless: Record<string, unknown> = {};
    endless.self = endless;
    expect(() => JSON.stringify(redactFields(endless))).not.toThrow();
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything()), (fields) => typeof redactFields(fields) === "object"));
  });

  it("show bytes by their number", () => {
    expect(redactFields({ body: new Uint8Array(3), when: new Date(0) })).toEqual({ body: "[3 bytes]", when: new Date(0) });
  });
});
