import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { type ConfigInput, parseConfig } from "./parse-config.ts";
import { SERVER_SETTINGS } from "./settings.ts";

const KEY = randomBytes(32).toString("base64");
const OTHER_KEY = randomBytes(32).toString("base64");
const MASTER = "cgk_live_0123456789abcdef";
const DATABASE = "postgres://me:hunter2@db/coregit";

function parse(environment: Readonly<Record<string, string>>, input: Partial<ConfigInput> = {}) {
  return parseConfig({ command: "standalone", environment, flags: {}, workingDirectory: "/cwd", isTty: false, ...input });
}

function problemOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("standalone needs no setting", () => {
  expect(parse({})).toEqual({
    warnings: [],
    config: {
      databaseUrl: null,
      blobStore: { kind: "file", directory: "/cwd/.coregit/packs" },
      dataDir: "/cwd/.coregit",
      cacheMaxBytes: 10 * 2 ** 30,
      listen: { host: "127.0.0.1", port: 8080 },
      metricsListen: null,
      publicUrl: null,
      encryptionKeys: [],
      masterKey: null,
      allowedHosts: [],
      fileRemotes: [],
      maxPackBytes: 2 * 2 ** 30,
      packRetentionMs: 7 * 24 * 3_600_000,
      tokenRateLimit: 15_000,
      workers: 4,
      resyncJitter: 0.1,
      logLevel: "info",
      logFormat: "json",
      hasResourceMetrics: true,
      tracing: null,
    },
  });
});

test("other roles listen everywhere and keep packs in the database", () => {
  const environment = { COREGIT_DATABASE_URL: DATABASE, COREGIT_ENCRYPTION_KEY: KEY, COREGIT_MASTER_KEY: MASTER };
  expect(parse(environment, { command: "api" }).config).toMatchObject({
    databaseUrl: DATABASE,
    blobStore: { kind: "postgres" },
    listen: { host: "0.0.0.0", port: 8080 },
    masterKey: MASTER,
  });
});

describe("a good value", () => {
  test.each([
    [
      "COREGIT_DATABASE_URL",
      "postgresql:///coregit?host=/run/postgresql",
      { databaseUrl: "postgresql:///coregit?host=/run/postgresql" },
    ],
    ["COREGIT_BLOB_STORE", "postgres:", { blobStore: { kind: "postgres" } }],
    ["COREGIT_BLOB_STORE", "file:///var/my%20packs", { blobStore: { kind: "file", directory: "/var/my packs" } }],
    ["COREGIT_DATA_DIR", "state", { dataDir: "/cwd/state", blobStore: { kind: "file", directory: "/cwd/state/packs" } }],
    ["COREGIT_DATA_DIR", "/var/lib/coregit/", { dataDir: "/var/lib/coregit" }],
    ["COREGIT_CACHE_MAX_BYTES", "10GiB", { cacheMaxBytes: 10 * 2 ** 30 }],
    ["COREGIT_CACHE_MAX_BYTES", "1.5 GB", { cacheMaxBytes: 1.5e9 }],
    ["COREGIT_MAX_PACK_BYTES", "1048576", { maxPackBytes: 1_048_576 }],
    ["COREGIT_LISTEN", "[::1]:0", { listen: { host: "::1", port: 0 } }],
    ["COREGIT_LISTEN", "localhost:65535", { listen: { host: "localhost", port: 65_535 } }],
    ["COREGIT_PUBLIC_URL", "https://git.example.com/base/", { publicUrl: "https://git.example.com/base" }],
    ["COREGIT_MASTER_KEY", MASTER, { masterKey: MASTER }],
    [
      "COREGIT_ALLOWED_HOSTS",
      "Git.Local, 10.0.0.0/8,fd00::/8, 127.0.0.1",
      { allowedHosts: ["git.local", "10.0.0.0/8", "fd00::/8", "127.0.0.1"] },
    ],
    ["COREGIT_FILE_REMOTES", "/srv/git, mirrors", { fileRemotes: ["/srv/git", "/cwd/mirrors"] }],
    ["COREGIT_TOKEN_RATE_LIMIT", "100", { tokenRateLimit: 100 }],
    ["COREGIT_PACK_RETENTION", "36h30m", { packRetentionMs: 131_400_000 }],
    ["COREGIT_WORKERS", "16", { workers: 16 }],
    ["COREGIT_RESYNC_JITTER", "0", { resyncJitter: 0 }],
    ["COREGIT_LOG_LEVEL", "debug", { logLevel: "debug" }],
    ["COREGIT_LOG_FORMAT", "pretty", { logFormat: "pretty" }],
  ] as const)("%s=%s", (variable, text, expected) => {
    expect(parse({ [variable]: text }).config).toMatchObject(expected);
  });

  test("several encryption keys, the first of which seals", () => {
    const { encryptionKeys } = parse({ COREGIT_ENCRYPTION_KEY: `${KEY}, ${OTHER_KEY}` }).config;
    expect(encryptionKeys.map((key) => Buffer.from(key).toString("base64"))).toEqual([KEY, OTHER_KEY]);
  });
});

describe("a wrong value is refused in one sentence that names the variable", () => {
  test.each([
    ["COREGIT_DATABASE_URL", "mysql://me:hunter2@db/x"],
    ["COREGIT_DATABASE_URL", "hunter2"],
    ["COREGIT_BLOB_STORE", "s3:bucket"],
    ["COREGIT_BLOB_STORE", "file://relative/dir"],
    ["COREGIT_BLOB_STORE", "file:relative"],
    ["COREGIT_BLOB_STORE", "/var/packs"],
    ["COREGIT_DATA_DIR", "a\0b"],
    ["COREGIT_CACHE_MAX_BYTES", "ten"],
    ["COREGIT_CACHE_MAX_BYTES", "10 apples"],
    ["COREGIT_CACHE_MAX_BYTES", "-1"],
    ["COREGIT_CACHE_MAX_BYTES", "5"],
    ["COREGIT_MAX_PACK_BYTES", "9999999TiB"],
    ["COREGIT_LISTEN", "8080"],
    ["COREGIT_LISTEN", ":8080"],
    ["COREGIT_LISTEN", "localhost:65536"],
    ["COREGIT_LISTEN", "[localhost]:80"],
    ["COREGIT_LISTEN", "::1:80"],
    ["COREGIT_PUBLIC_URL", "git.example.com"],
    ["COREGIT_PUBLIC_URL", "https://me:hunter2@git.example.com"],
    ["COREGIT_PUBLIC_URL", "https://git.example.com/?a=b"],
    ["COREGIT_ENCRYPTION_KEY", "hunter2"],
    ["COREGIT_ENCRYPTION_KEY", `${KEY},hunter2`],
    ["COREGIT_ENCRYPTION_KEY", `${KEY},`],
    ["COREGIT_MASTER_KEY", "hunter2"],
    ["COREGIT_MASTER_KEY", "cgk_live_short"],
    ["COREGIT_ALLOWED_HOSTS", "*.example.com"],
    ["COREGIT_ALLOWED_HOSTS", "10.0.0.0/33"],
    ["COREGIT_ALLOWED_HOSTS", "10.0.0"],
    ["COREGIT_ALLOWED_HOSTS", "a,,b"],
    ["COREGIT_ALLOWED_HOSTS", "example.com/8"],
    ["COREGIT_FILE_REMOTES", "/srv,"],
    ["COREGIT_TOKEN_RATE_LIMIT", "0"],
    ["COREGIT_PACK_RETENTION", "23h"],
    ["COREGIT_PACK_RETENTION", "a week"],
    ["COREGIT_WORKERS", "0"],
    ["COREGIT_WORKERS", "many"],
    ["COREGIT_WORKERS", "257"],
    ["COREGIT_RESYNC_JITTER", "1"],
    ["COREGIT_RESYNC_JITTER", "-0.1"],
    ["COREGIT_LOG_LEVEL", "verbose"],
    ["COREGIT_LOG_FORMAT", "xml"],
    ["COREGIT_METRICS_LISTEN", "9090"],
    ["COREGIT_RESOURCE_METRICS", "sometimes"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://me:hunter2@collector:4318"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "authorization: hunter2"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2%0d%0ax=y"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "10s"],
    ["OTEL_TRACES_EXPORTER", "zipkin"],
    ["OTEL_TRACES_SAMPLER", "sometimes"],
    ["OTEL_TRACES_SAMPLER_ARG", "2"],
    ["OTEL_RESOURCE_ATTRIBUTES", "a=%zz"],
    ["OTEL_BSP_SCHEDULE_DELAY", "0"],
  ])("%s=%j", (variable, text) => {
    const problem = problemOf(() => parse({ [variable]: text }));
    expect(problem.variable).toBe(variable);
    expect(problem.message).toMatch(new RegExp(`^${variable} [^\\n]+\\.$`));
    expect(problem.message).not.toContain("hunter2");
  });
});

test("every setting has a good and a wrong value above or is named here", () => {
  const proven = new Set(
    ["DATABASE_URL", "BLOB_STORE", "DATA_DIR", "CACHE_MAX_BYTES", "LISTEN", "PUBLIC_URL", "ENCRYPTION_KEY", "MASTER_KEY"]
      .concat([
        "TOKEN_RATE_LIMIT",
        "ALLOWED_HOSTS",
        "FILE_REMOTES",
        "MAX_PACK_BYTES",
        "PACK_RETENTION",
        "WORKERS",
        "RESYNC_JITTER",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "METRICS_LISTEN",
        "RESOURCE_METRICS",
      ])
      .map((name) => `COREGIT_${name}`),
  );
  expect(new Set(SERVER_SETTINGS.map(({ variable }) => variable))).toEqual(proven);
});

describe("what a role cannot do without", () => {
  const database = { COREGIT_DATABASE_URL: DATABASE };
  const keys = { ...database, COREGIT_ENCRYPTION_KEY: KEY };
  test.each([
    ["api", {}, "COREGIT_DATABASE_URL"],
    ["operator", database, "COREGIT_ENCRYPTION_KEY"],
    ["api", keys, "COREGIT_MASTER_KEY"],
    ["migrate", {}, "COREGIT_DATABASE_URL"],
    ["operator", { ...keys, COREGIT_FILE_REMOTES: "/srv" }, "COREGIT_FILE_REMOTES"],
  ] as const)("%s is refused for want or abuse of one setting", (command, environment, variable) => {
    expect(problemOf(() => parse(environment, { command })).variable).toBe(variable);
  });
  test("the operator needs no master key, migrate no key at all", () => {
    expect(parse(keys, { command: "operator" }).config.masterKey).toBeNull();
    expect(parse(database, { command: "migrate" }).config.databaseUrl).toBe(DATABASE);
  });
});

test("a flag wins over its variable", () => {
  const { listen } = parse({ COREGIT_LISTEN: "localhost:1" }, { flags: { COREGIT_LISTEN: "localhost:2" } }).config;
  expect(listen.port).toBe(2);
});

test("an unknown variable is a warning with the name that was meant", () => {
  expect(parse({ COREGIT_WORKRES: "8", COREGIT_URL: "http://x" }).warnings).toEqual([
    "COREGIT_WORKRES is not a setting of Coregit; did you mean COREGIT_WORKERS?",
  ]);
});

test("the log is pretty on a terminal", () => {
  expect(parse({}, { isTty: true }).config.logFormat).toBe("pretty");
});
