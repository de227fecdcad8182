// What the program was told, checked and typed. `parse-config.ts` makes this of what `env.ts`, the only reader of the environment, found.

export type S3Setting = {
  readonly kind: "s3";
  readonly bucket: string;
  /** Before every key, with a slash between; empty for the whole bucket. */
  readonly prefix: string;
  /** URL of the server without trailing slash; null: Amazon's of the region. */
  readonly endpoint: string | null;
  /** null: as the AWS SDK finds it. */
  readonly region: string | null;
  /** Whether the bucket stands in the path, and not in the host name. */
  readonly forcePathStyle: boolean;
};

export type BlobStoreSetting = { readonly kind: "postgres" } | { readonly kind: "file"; readonly directory: string } | S3Setting;

export type ListenAddress = { readonly host: string; readonly port: number };

/** Where traces go and which; the type of the same name in telemetry takes it. */
export type TracingSetting = {
  /** Takes OTLP over HTTP as JSON. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly sampler: { readonly kind: "on" | "off" | "ratio"; readonly ratio: number; readonly isParentBased: boolean };
  /** `service.name` and what else was given. */
  readonly resource: Readonly<Record<string, string>>;
  readonly delayMs: number;
};

export type Role = "standalone" | "operator" | "api";

export type Config = {
  /** null: standalone starts the embedded server. */
  readonly databaseUrl: string | null;
  readonly blobStore: BlobStoreSetting;
  /** Absolute. */
  readonly dataDir: string;
  readonly cacheMaxBytes: number;
  readonly listen: ListenAddress;
  /** Where `/metrics` is, if not at `listen`; null: there. */
  readonly metricsListen: ListenAddress | null;
  readonly publicUrl: string | null;
  /** 32-byte keys: the first seals, all open. Empty only for commands that need none. */
  readonly encryptionKeys: readonly Uint8Array[];
  readonly masterKey: string | null;
  /** Requests a minute of one scoped token. */
  readonly tokenRateLimit: number;
  /** Names, addresses or CIDRs exempt from the private-address block. */
  readonly allowedHosts: readonly string[];
  /** Absolute folders below which file:// remotes are allowed; standalone only. */
  readonly fileRemotes: readonly string[];
  readonly maxPackBytes: number;
  /** How long blobs of packs stay that nothing needs any more, milliseconds; at least a day. */
  readonly packRetentionMs: number;
  readonly workers: number;
  /** Fraction of an interval by which it varies either way. */
  readonly resyncJitter: number;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly logFormat: "json" | "pretty";
  /** One series a resource in the operator's metrics. */
  readonly hasResourceMetrics: boolean;
  /** null: no traces. */
  readonly tracing: TracingSetting | null;
};
