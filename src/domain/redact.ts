// Removes secrets from whatever is about to leave the process: log lines, errors, statuses, answers. A second line of
// defence (the first is never to put one there), so it prefers removing too much to keeping a credential.

const REMOVED = "[redacted]";

type Rule = readonly [pattern: RegExp, replacement: string];

const RULES: readonly Rule[] = [
  // PEM private keys, also cut off or with their line breaks escaped.
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z0-9 ]*PRIVATE KEY-----)?/g, REMOVED],
  // user:password@ or token@ in a URL; the last @ before the path ends it, since passwords may hold one unescaped.
  [/([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/?#"'<>]*@/gi, `$1${REMOVED}@`],
  // Header lines and header objects.
  [
    /((?:proxy-)?authorization|private-token|job-token|x-gitlab-token|x-api-key|set-cookie|cookie)(["']?\s*[:=]\s*["']?)(?:(?:basic|bearer|token)\s+)?[^\s"',;]+/gi,
    `$1$2${REMOVED}`,
  ],
  [/\b(basic|bearer)\s+[A-Za-z0-9+/=_.~-]{8,}/gi, `$1 ${REMOVED}`],
  // Query parameters and form fields.
  [
    /([?&;](?:access_token|private_token|token|api_key|client_secret|password|secret|x-amz-signature|sig)=)[^&\s"'#]+/gi,
    `$1${REMOVED}`,
  ],
  // Tokens by their shape: GitHub, GitLab, Coregit, JSON web tokens, AWS access keys.
  [
    /\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|gl[a-z]{2,8}-[A-Za-z0-9_.-]{16,}|cgk_[a-z]+_[A-Za-z0-9_-]{8,}|cgt_[A-Za-z0-9_-]{16,})/g,
    REMOVED,
  ],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/g, REMOVED],
  [/\bA(?:KIA|SIA)[A-Z0-9]{16}\b/g, REMOVED],
];

/** The text without anything that looks like a credential. Linear in its length. */
export function redact(text: string): string {
  return RULES.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/** Field names whose values are secrets whatever they look like. Compared in lower case without separators. */
const SECRET_KEYS = new Set([
  "accesstoken",
  "apikey",
  "authorization",
  "caprivatekey",
  "clientsecret",
  "connectionstring",
  "cookie",
  "credential",
  "credentials",
  "databaseurl",
  "encryptionkey",
  "encryptionkeys",
  "githubappprivatekey",
  "jobtoken",
  "masterkey",
  "passphrase",
  "password",
  "privatekey",
  "privatetoken",
  "proxyauthorization",
  "secret",
  "setcookie",
  "signingtoken",
  "token",
  "webhooksecret",
  "xapikey",
  "xgitlabtoken",
]);

const MAX_DEPTH = 8;

/** A copy of log fields without secrets: values under a secret's name are removed, all other strings are redacted. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactRecord(fields, MAX_DEPTH);
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (depth === 0) return "[…]";
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth - 1));
  return redactRecord(value as Record<string, unknown>, depth);
}

function redactRecord(record: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, isSecretKey(key, value) ? REMOVED : redactValue(value, depth - 1)]),
  );
}

function isSecretKey(key: string, value: unknown): boolean {
  return value !== null && value !== undefined && SECRET_KEYS.has(key.toLowerCase().replace(/[-_. ]/g, ""));
}

/** An error as plain fields, its own (`code`, `details`, …) and its causes' included. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return redactRecord({ ...error, name, message, stack, ...(cause === undefined ? {} : { cause }) }, depth);
}
