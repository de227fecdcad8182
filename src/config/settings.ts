// The settings there are: names, defaults as people read them, meanings. Help texts are made from this, and a variable that
// is not here is reported as unknown.

export type Setting = {
  readonly variable: `COREGIT_${string}` | `OTEL_${string}`;
  /** As help shows it. */
  readonly default: string;
  readonly meaning: string;
};

/** The value of a variable, or `fallback` where it is not set. @throws ConfigError. */
export type ReadSetting = <T>(variable: Setting["variable"], reader: (text: string) => T, fallback: T) => T;

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
    "where packs are: postgres:, file:///dir or s3://bucket/prefix",
  ),
  setting("COREGIT_DATA_DIR", "./.coregit", "state of standalone; root of the cache of the other roles"),
  setting("COREGIT_CACHE_MAX_BYTES", "10GiB", "size of the local git cache"),
  setting("COREGIT_LISTEN", "standalone: 127.0.0.1:8080; else 0.0.0.0:8080", "HOST:PORT of the HTTP server"),
  setting("COREGIT_METRICS_LISTEN", "where COREGIT_LISTEN is", "HOST:PORT of /metrics, which COREGIT_LISTEN then has no more"),
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
  setting("COREGIT_RESOURCE_METRICS", "true", "operator: series of each resource in its metrics, true or false"),
];

/** OpenTelemetry's own names: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export const TRACING_SETTINGS: readonly Setting[] = [
  setting("OTEL_EXPORTER_OTLP_ENDPOINT", "none: no traces", "base URL of a collector that takes OTLP over HTTP as JSON"),
  setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces below it", "the whole URL for traces"),
  setting("OTEL_EXPORTER_OTLP_HEADERS", "none", "headers of its requests, name=value with commas between them"),
  setting("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "none", "more of them"),
  setting("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "milliseconds for one of its requests"),
  setting("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "no other than http/json"),
  setting("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "no other than http/json"),
  setting("OTEL_TRACES_EXPORTER", "otlp", "otlp, or none: no traces"),
  setting("OTEL_SDK_DISABLED", "false", "true: no traces, whatever else is set"),
  setting("OTEL_SERVICE_NAME", "coregit", "service.name of the traces"),
  setting("OTEL_RESOURCE_ATTRIBUTES", "none", "attributes of this process, key=value with commas between them"),
  setting(
    "OTEL_TRACES_SAMPLER",
    "parentbased_always_on",
    "always_on, always_off or traceidratio, each also with parentbased_ before it",
  ),
  setting("OTEL_TRACES_SAMPLER_ARG", "1", "share of the traces that traceidratio records, 0 to 1"),
  setting("OTEL_BSP_SCHEDULE_DELAY", "5000", "milliseconds that spans wait for others"),
];

export const CLIENT_SETTINGS: readonly Setting[] = [
  setting("COREGIT_URL", "the standalone that runs on the data dir", "base URL of the server to talk to"),
  setting("COREGIT_API_KEY", "the data dir's master key", "API key to send"),
  setting("COREGIT_DATA_DIR", "./.coregit", "data dir of a running standalone"),
];
