import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { CoregitError } from "./errors.ts";
import { webhookSecrets } from "./webhook-secrets.ts";
import { type DeliveryHeaders, isProven, readProof } from "./webhook-signature.ts";

const NOTHING = { signingSecret: "", token: "", signingToken: "" };

/** The example of GitHub's "Validating webhook deliveries". */
const GITHUB = {
  secrets: { ...NOTHING, signingSecret: "It's a Secret to Everybody" },
  body: Buffer.from("Hello, World!"),
  headers: { "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
};

/** The example of Standard Webhooks, by which GitLab signs. */
const STANDARD = {
  secrets: { ...NOTHING, signingToken: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  body: Buffer.from('{"test": 2432232314}'),
  atMs: 1_614_265_330_000,
  headers: {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
};

const MINUTE_MS = 60_000;
const fromGitHub = (headers: DeliveryHeaders = GITHUB.headers) => readProof("github", headers, 0);
const fromGitLab = (changes: DeliveryHeaders = {}, nowMs = STANDARD.atMs) =>
  readProof("gitlab", { ...STANDARD.headers, ...changes }, nowMs);
const refusal = expect.objectContaining({ code: "Unauthorized" }) as CoregitError;

describe("GitHub's documented example", () => {
  test("is proven, for Gitea and Forgejo as well, in digits of either case", () => {
    expect(isProven(fromGitHub(), GITHUB.secrets, GITHUB.body)).toBe(true);
    expect(isProven(readProof("git", GITHUB.headers, 0), GITHUB.secrets, GITHUB.body)).toBe(true);
    const upper = GITHUB.headers["x-hub-signature-256"].slice("sha256=".length).toUpperCase();
    expect(isProven(fromGitHub({ "x-hub-signature-256": `sha256=${upper}` }), GITHUB.secrets, GITHUB.body)).toBe(true);
  });

  test("is not with another byte of the body or another secret", () => {
    expect(isProven(fromGitHub(), GITHUB.secrets, Buffer.from("Hello, World?"))).toBe(false);
    expect(isProven(fromGitHub(), GITHUB.secrets, Buffer.from("Hello, World!\n"))).toBe(false);
    expect(isProven(fromGitHub(), webhookSecrets(new Uint8Array(32)), GITHUB.body)).toBe(false);
  });

  const sha1 = createHmac("sha1", GITHUB.secrets.signingSecret).update(GITHUB.body).digest("hex");
  const unsigned = createHash("sha256").update(GITHUB.body).digest("hex");
  test.each<[string, DeliveryHeaders]>([
    ["without a signature", {}],
    ["with the old one alone", { "x-hub-signature": `sha1=${sha1}` }],
    ["with the old one in the place of the new", { "x-hub-signature-256": `sha1=${sha1}` }],
    ["cut short", { "x-hub-signature-256": GITHUB.headers["x-hub-signature-256"].slice(0, -1) }],
    ["without its kind", { "x-hub-signature-256": unsigned }],
    ["twice", { "x-hub-signature-256": [GITHUB.headers["x-hub-signature-256"], `sha256=${unsigned}`] }],
  ])("%s is refused before the body is read", (_case, headers) => {
    expect(() => fromGitHub(headers)).toThrow(refusal);
  });

  test("is not proven by a hash that nobody signed", () => {
    expect(isProven(fromGitHub({ "x-hub-signature-256": `sha256=${unsigned}` }), GITHUB.secrets, GITHUB.body)).toBe(false);
  });
});

describe("the example of Standard Webhooks", () => {
  test("is proven, alone and among others", () => {
    const others = `v1,${"A".repeat(43)}= v1a,${"A".repeat(86)}== ${STANDARD.headers["webhook-signature"]}`;
    expect(isProven(fromGitLab(), STANDARD.secrets, STANDARD.body)).toBe(true);
    expect(isProven(fromGitLab({ "webhook-signature": others }), STANDARD.secrets, STANDARD.body)).toBe(true);
  });

  test("is not with another body, id, time or key: all of them are signed", () => {
    expect(isProven(fromGitLab(), STANDARD.secrets, Buffer.from('{"test":2432232314}'))).toBe(false);
    for (const changes of [{ "webhook-id": "msg_another" }, { "webhook-timestamp": "1614265331" }]) {
      expect(isProven(fromGitLab(changes), STANDARD.secrets, STANDARD.body)).toBe(false);
    }
    expect(isProven(fromGitLab(), webhookSecrets(new Uint8Array(32)), STANDARD.body)).toBe(false);
  });

  test("is good for five minutes either way", () => {
    for (const offMs of [-5 * MINUTE_MS, 5 * MINUTE_MS]) expect(fromGitLab({}, STANDARD.atMs + offMs).kind).toBe("signed");
    for (const offMs of [-5 * MINUTE_MS - 1, 5 * MINUTE_MS + 1]) {
      expect(() => fromGitLab({}, STANDARD.atMs + offMs)).toThrow(refusal);
    }
  });

  test.each<[string, DeliveryHeaders]>([
    ["without its id", { "webhook-id": undefined }],
    ["without its time", { "webhook-timestamp": undefined }],
    ["with a time that is no number", { "webhook-timestamp": "1614265330.0" }],
    ["of another version", { "webhook-signature": `v2,${"A".repeat(43)}=` }],
    ["cut short", { "webhook-signature": STANDARD.headers["webhook-signature"].slice(0, -6) }],
    ["empty, whatever token is beside it", { "webhook-signature": "", "x-gitlab-token": "a token" }],
  ])("%s is refused before the body is read", (_case, changes) => {
    expect(() => fromGitLab(changes)).toThrow(refusal);
  });
});

describe("GitLab's plain token", () => {
  const secrets = webhookSecrets(new Uint8Array(32).fill(1));

  test("is proven when it is the webhook's, and not a part of it", () => {
    const sent = (token: string) => readProof("gitlab", { "x-gitlab-token": token }, 0);
    expect(isProven(sent(secrets.token), secrets, Buffer.from("{}"))).toBe(true);
    for (const token of [secrets.token.slice(1), `${secrets.token} `, secrets.signingSecret, secrets.signingToken]) {
      expect(isProven(sent(token), secrets, Buffer.from("{}"))).toBe(false);
    }
  });

  test("does not stand in for a signature that is there", () => {
    const proof = fromGitLab({ "x-gitlab-token": secrets.token });
    expect(isProven(proof, secrets, STANDARD.body)).toBe(false);
  });

  test("is needed where there is no signature", () => {
    expect(() => readProof("gitlab", {}, 0)).toThrow(refusal);
    expect(() => readProof("gitlab", GITHUB.headers, 0)).toThrow(refusal);
  });
});
