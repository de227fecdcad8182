// From variables and flags to a checked Config. A flag is the text of its variable and wins over it.
import { join } from "node:path";
import { similarWord } from "../domain/similar-word.ts";
import type { BlobStoreSetting, Config, Role } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./env.ts";
import { CLIENT_SETTINGS, type ReadSetting, SERVER_SETTINGS, TRACING_SETTINGS } from "./settings.ts";
import { readTracing } from "./tracing.ts";
import { ValueProblem } from "./value-problem.ts";
import * as read from "./values.ts";

export type ConfigInput = {
  /** What will be started; `migrate` needs a database only. */
  readonly command: Role | "migrate";
  readonly environment: Environment;
  /** Texts given by flags, by variable. */
  readonly flags: Environment;
  readonly workingDirectory: string;
  /** Whether the log goes to a terminal. */
  readonly isTty: boolean;
};

export type ParsedConfig = {
  readonly config: Config;
  /** One sentence a variable that looks like ours and is not. */
  readonly warnings: readonly string[];
};

const GIBIBYTE = 2 ** 30;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** More would wait for each other: each run holds a database connection and a git process. */
const MAX_WORKERS = 256;
/** More than one process can answer; whoever wants no limit sets this. */
const MAX_TOKEN_RATE_LIMIT = 1_000_000_000;

const DAY_MS = 24 * 3_600_000;
/** The longest read of packs that were replaced. */
const MIN_RETENTION_MS = DAY_MS;
/** Managed databases keep backups for a week. */
const DEFAULT_RETENTION_MS = 7 * DAY_MS;

/** @throws ConfigError for the first setting that is wrong, or missing for this command. */
export function parseConfig(input: ConfigInput): ParsedConfig {
  const texts: Environment = { ...input.environment, ...input.flags };
  const value: ReadSetting = (variable, reader, fallback) => {
    const text = texts[variable];
    return text === undefined ? fallback : readValue(variable, text, reader);
  };
  const { command, workingDirectory } = input;
  const folder = (text: string) => read.readFolder(text, workingDirectory);
  const dataDir = value("COREGIT_DATA_DIR", folder, join(workingDirectory, ".coregit"));
  const config: Config = {
    databaseUrl: value("COREGIT_DATABASE_URL", read.readDatabaseUrl, null),
    blobStore: value("COREGIT_BLOB_STORE", read.readBlobStore, defaultBlobStore(command, dataDir)),
    dataDir,
    cacheMaxBytes: value("COREGIT_CACHE_MAX_BYTES", read.readBytes, 10 * GIBIBYTE),
    listen: value("COREGIT_LISTEN", read.readListen, {
      host: command === "standalone" ? "127.0.0.1" : "0.0.0.0",
      port: 8080,
    }),
    metricsListen: value("COREGIT_METRICS_LISTEN", read.readListen, null),
    publicUrl: value("COREGIT_PUBLIC_URL", read.readPublicUrl, null),
    encryptionKeys: value("COREGIT_ENCRYPTION_KEY", read.readEncryptionKeys, []),
    masterKey: value("COREGIT_MASTER_KEY", read.readMasterKey, null),
    tokenRateLimit: value("COREGIT_TOKEN_RATE_LIMIT", (text) => read.readWhole(text, 1, MAX_TOKEN_RATE_LIMIT), 15_000),
    allowedHosts: value("COREGIT_ALLOWED_HOSTS", read.readHosts, []),
    fileRemotes: value("COREGIT_FILE_REMOTES", (text) => read.readFolders(text, workingDirectory), []),
    maxPackBytes: value("COREGIT_MAX_PACK_BYTES", read.readBytes, 2 * GIBIBYTE),
    packRetentionMs: value("COREGIT_PACK_RETENTION", (text) => read.readDuration(text, MIN_RETENTION_MS), DEFAULT_RETENTION_MS),
    workers: value("COREGIT_WORKERS", (text) => read.readWhole(text, 1, MAX_WORKERS), 4),
    resyncJitter: value("COREGIT_RESYNC_JITTER", read.readFraction, 0.1),
    logLevel: value("COREGIT_LOG_LEVEL", (text) => read.readChoice(text, LOG_LEVELS), "info"),
    logFormat: value("COREGIT_LOG_FORMAT", (text) => read.readChoice(text, ["json", "pretty"]), input.isTty ? "pretty" : "json"),
    hasResourceMetrics: value("COREGIT_RESOURCE_METRICS", read.readSwitch, true),
    tracing: readTracing(value),
  };
  checkCommand(command, config);
  return { config, warnings: unknownVariables(input.environment) };
}

function readValue<T>(variable: string, text: string, reader: (text: string) => T): T {
  try {
    return reader(text);
  } catch (error) {
    if (error instanceof ValueProblem) throw new ConfigError(variable, error.message);
    throw error;
  }
}

function defaultBlobStore(command: ConfigInput["command"], dataDir: string): BlobStoreSetting {
  return command === "standalone" ? { kind: "file", directory: join(dataDir, "packs") } : { kind: "postgres" };
}

/** What a command cannot do without, and what it must not have. */
function checkCommand(command: ConfigInput["command"], config: Config): void {
  if (command === "standalone") return;
  if (config.databaseUrl === null) throw new ConfigError("COREGIT_DATABASE_URL", `is not set; ${command} needs a database`);
  if (config.fileRemotes.length > 0) {
    throw new ConfigError("COREGIT_FILE_REMOTES", `is set, and only standalone may read file:// remotes, not ${command}`);
  }
  if (command === "migrate") return;
  if (config.encryptionKeys.length === 0) {
    throw new ConfigError("COREGIT_ENCRYPTION_KEY", `is not set; ${command} needs it to read stored credentials`);
  }
  if (command === "api" && config.masterKey === null) {
    throw new ConfigError("COREGIT_MASTER_KEY", "is not set; without it nobody could use the API");
  }
}

function unknownVariables(environment: Environment): string[] {
  const known = [...SERVER_SETTINGS, ...CLIENT_SETTINGS, ...TRACING_SETTINGS].map(({ variable }) => variable as string);
  return Object.keys(environment)
    .filter((variable) => !known.includes(variable))
    .map((variable) => {
      const meant = similarWord(variable, known);
      return `${variable} is not a setting of Coregit${meant === null ? "" : `; did you mean ${meant}?`}`;
    });
}
