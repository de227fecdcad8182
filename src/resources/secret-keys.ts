// The keys of a Secret that a Connection names, and what they make: a credential and certificates to trust. Messages name
// keys, never values.
import { X509Certificate } from "node:crypto";
import { APP_ID, type AppCredential, appKeyProblem, type Credential, INSTALLATION_ID } from "../domain/credential.ts";
import type { Provider } from "../domain/sync-spec.ts";

/** Decoded values by key. */
export type SecretData = Readonly<Record<string, string>>;

export type ParsedSecret =
  | { readonly ok: true; readonly credential: Credential | null; readonly caPem: string | null }
  | { readonly ok: false; readonly message: string };

const APP_KEYS = ["githubAppID", "githubAppInstallationID", "githubAppPrivateKey"] as const;
const KNOWN_WAYS = "token, or username and password";
const GITHUB_WAYS = `${KNOWN_WAYS}, or ${APP_KEYS.slice(0, 2).join(", ")} and ${APP_KEYS[2]}`;
/** Tokens of providers have at most some hundred characters, and servers end a request's headers at 8 or 16 KiB. */
const MAX_VALUE_LENGTH = 8192;
/** What decoding makes of bytes that are no UTF-8. */
const NOT_TEXT = "\uFFFD";
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** A Secret object, from an API server or a manifest: `data` is base64, `stringData` is plain and wins. */
export function decodeSecret(secret: { readonly data?: unknown; readonly stringData?: unknown }): SecretData {
  const encoded = Object.entries(textEntries(secret.data)).map(
    ([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")] as const,
  );
  return { ...Object.fromEntries(encoded), ...textEntries(secret.stringData) };
}

/** Values may end in a line break, as `echo … | base64` leaves them; it is not part of them. */
export function parseSecret(data: SecretData, provider: Provider): ParsedSecret {
  const ca = parseCertificates(data["ca.crt"]);
  if (!ca.ok) return ca;
  const read = (key: string) => {
    const value = data[key]?.replace(/\r?\n$/, "");
    return value === undefined || value === "" ? null : value;
  };
  const token = read("token");
  const username = read("username");
  const password = read("password");
  const problem = wrongValue({ token, username, password }) ?? wrongKeys(data, provider);
  if (problem !== null) return { ok: false, message: problem };
  const app = readApp(read);
  if (app !== null) {
    const message = wrongApp(app);
    return message === null ? { ok: true, credential: app, caPem: ca.caPem } : { ok: false, message };
  }
  if (token !== null) return { ok: true, credential: { kind: "token", token }, caPem: ca.caPem };
  if (username !== null && password !== null) {
    return { ok: true, credential: { kind: "basic", username, password }, caPem: ca.caPem };
  }
  return { ok: true, credential: null, caPem: ca.caPem };
}

/** What is wrong with the set of keys: two ways in at once, half of one, or none where one is needed. */
function wrongKeys(data: SecretData, provider: Provider): string | null {
  const has = (key: string) => (data[key] ?? "").trim() !== "";
  const appKeys = APP_KEYS.filter(has);
  if (appKeys.length > 0) return appKeysProblem(appKeys, provider) ?? besideApp(has);
  const ways = provider === "github" ? GITHUB_WAYS : KNOWN_WAYS;
  if (has("token")) return has("password") ? `The Secret has both token and password; Coregit needs either ${ways}.` : null;
  const isAnonymous = provider === "git" && has("ca.crt");
  return (
    loginProblem(has) ?? (has("username") || isAnonymous ? null : `The Secret has no credential: it needs the keys ${ways}.`)
  );
}

function loginProblem(has: (key: string) => boolean): string | null {
  if (has("username") !== has("password")) {
    return `The Secret has ${has("username") ? "username but no password" : "password but no username"}.`;
  }
  return null;
}

function appKeysProblem(present: readonly string[], provider: Provider): string | null {
  if (provider !== "github") return `The Secret has ${present[0]}, which only a Connection of provider github can use.`;
  const missing = APP_KEYS.filter((key) => !present.includes(key));
  return missing.length === 0 ? null : `The Secret has ${present[0]} but lacks ${missing.join(" and ")}.`;
}

function besideApp(has: (key: string) => boolean): string | null {
  const other = ["token", "password"].find(has);
  return other === undefined ? null : `The Secret has both ${other} and the keys of a GitHub App; Coregit needs one of them.`;
}

function readApp(read: (key: string) => string | null): AppCredential | null {
  const [appId, installationId, key] = APP_KEYS.map(read);
  if (!appId || !installationId || !key) return null;
  return { kind: "app", appId, installationId, privateKey: `${key}\n` };
}

function wrongApp({ appId, installationId, privateKey }: AppCredential): string | null {
  if (!APP_ID.test(appId)) return "The key githubAppID of the Secret is not the id of a GitHub App.";
  if (!INSTALLATION_ID.test(installationId)) return "The key githubAppInstallationID of the Secret is not a number.";
  const problem = appKeyProblem(privateKey);
  return problem === null ? null : `The key githubAppPrivateKey of the Secret ${problem}.`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these would end a header or a credential line.
const CONTROL = /[\x00-\x1f\x7f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII but nothing else goes into a header as it is.
const NOT_ASCII = /[^\x00-\x7f]/;

function wrongValue(values: Readonly<Record<string, string | null>>): string | null {
  for (const [key, value] of Object.entries(values)) {
    const problem = value === null ? null : valueProblem(key, value);
    if (problem !== null) return `The key ${key} of the Secret ${problem}.`;
  }
  return null;
}

function valueProblem(key: string, value: string): string | null {
  if (value.length > MAX_VALUE_LENGTH) return "is longer than any credential";
  if (value.includes(NOT_TEXT)) return "is not UTF-8 text";
  if (CONTROL.test(value)) return "has a line break or another control character in it";
  return key === "token" && NOT_ASCII.test(value) ? "has characters that no token has" : null;
}

function parseCertificates(
  text: string | undefined,
): { readonly ok: true; readonly caPem: string | null } | { readonly ok: false; readonly message: string } {
  if (text === undefined || text.trim() === "") return { ok: true, caPem: null };
  const certificates = text.match(PEM_CERTIFICATE) ?? [];
  if (certificates.length === 0) return { ok: false, message: "The key ca.crt of the Secret has no PEM certificate in it." };
  const broken = certificates.findIndex((certificate) => !isCertificate(certificate));
  if (broken !== -1) {
    return { ok: false, message: `Certificate ${broken + 1} in the key ca.crt of the Secret cannot be read.` };
  }
  return { ok: true, caPem: `${certificates.join("\n")}\n` };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function textEntries(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}
