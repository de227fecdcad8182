// The settings there are: names, defaults as people read them, meanings. Help texts are made from this, and a variable that
// is not here is reported as unknown.

export type Setting = {
  readonly variable: `COREGIT_${string}`;
  /** As help shows it. */
  readonly default: string;
  readonly meaning: string;
};

const setting = (variable: Setting["variable"], defaultText: string, meaning: string): Setting => ({
  variable,
  default: defaultText,
  meaning,
});

export const SERVER_SETTINGS: readonly Setting[] = [
  setting("COREGIT_DATABASE_URL", "standalone: embedded", "postgres://…; PostgreSQL 14 or newer"),
  setting(
    "COREGIT_BLOB_STORE",
    "standalone: file://<data-dir>/packs; else postgres:",
    "where packs are: postgres: or file:///dir",
  ),
  setting("COREGIT_DATA_DIR", "./.coregit", "state of standalone; root of the cache of the other roles"),
  setting("COREGIT_CACHE_MAX_BYTES", "10GiB", "size of the local git cache"),
  setting("COREGIT_LISTEN", "standalone: 127.0.0.1:8080; else 0.0.0.0:8080", "HOST:PORT of the HTTP server"),
  setting("COREGIT_PUBLIC_URL", "none", "base URL that providers can reach; without it no webhook is registered"),
  setting("COREGIT_ENCRYPTION_KEY", "standalone: generated", "32 bytes in base64; in a list the first seals, all open"),
  setting("COREGIT_MASTER_KEY", "standalone: generated", "cgk_live_…; the API key that may do everything"),
  setting("COREGIT_TOKEN_RATE_LIMIT", "15000", "requests a minute of one scoped token, counted by each process"),
  setting("COREGIT_ALLOWED_HOSTS", "none", "names, addresses or CIDRs exempt from the private-address block"),
  setting("COREGIT_FILE_REMOTES", "none", "standalone: folders below which file:// remotes are allowed"),
  setting("COREGIT_MAX_PACK_BYTES", "2GiB", "largest pack taken from a push or a remote"),
  setting(
    "COREGIT_PACK_RETENTION",
    "168h",
    "how long packs that nothing needs stay in the blob store; longer than database backups",
  ),
  setting("COREGIT_WORKERS", "4", "concurrent runs of this process"),
  setting("COREGIT_RESYNC_JITTER", "0.1", "fraction of an interval by which it varies either way"),
  setting("COREGIT_LOG_LEVEL", "info", "trace, debug, info, warn, error, fatal or silent"),
  setting("COREGIT_LOG_FORMAT", "json; pretty on a terminal", "json or pretty"),
];

export const CLIENT_SETTINGS: readonly Setting[] = [
  setting("COREGIT_URL", "the standalone that runs on the data dir", "base URL of the server to talk to"),
  setting("COREGIT_API_KEY", "the data dir's master key", "API key to send"),
  setting("COREGIT_DATA_DIR", "./.coregit", "data dir of a running standalone"),
];
