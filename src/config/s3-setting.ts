// How `s3://bucket/prefix?endpoint=…&region=…&forcePathStyle=true` is read. It never holds credentials, which the AWS SDK finds
// by itself; a text that has some is refused without being repeated.
import type { S3Setting } from "./config.ts";
import { ValueProblem } from "./value-problem.ts";

/** Names of general purpose buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Leaves room for a key of 512 within the 1,024 bytes of an S3 key. */
const MAX_PREFIX_LENGTH = 256;
const PREFIX_COMPONENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;
const REGION = /^[A-Za-z0-9_-]{1,64}$/;
const PARAMETERS = ["endpoint", "region", "forcePathStyle"];

/** @throws ValueProblem */
export function readS3Setting(text: string): S3Setting {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !text.startsWith("s3://")) {
    throw new ValueProblem("must name a bucket, as s3://bucket/prefix?region=eu-central-1");
  }
  if (url.username !== "" || url.password !== "") {
    throw new ValueProblem("must not contain credentials; the AWS SDK finds them, for example in AWS_ACCESS_KEY_ID");
  }
  if (url.hash !== "") throw new ValueProblem("must not have a fragment");
  const parameters = readParameters(url.searchParams);
  return {
    kind: "s3",
    bucket: readBucket(url.host),
    prefix: readPrefix(url.pathname),
    endpoint: readEndpoint(parameters.get("endpoint")),
    region: readRegion(parameters.get("region")),
    forcePathStyle: readFlag(parameters.get("forcePathStyle")),
  };
}

function readParameters(given: URLSearchParams): ReadonlyMap<string, string> {
  const read = new Map<string, string>();
  for (const [name, value] of given) {
    if (!PARAMETERS.includes(name)) {
      throw new ValueProblem(
        `has the unknown parameter ${JSON.stringify(name.slice(0, 80))}; known are ${PARAMETERS.join(", ")}`,
      );
    }
    if (read.has(name)) throw new ValueProblem(`has the parameter ${name} twice`);
    read.set(name, value);
  }
  return read;
}

function readBucket(host: string): string {
  if (BUCKET.test(host)) return host;
  throw new ValueProblem("must name a bucket of 3 to 63 lower-case letters, digits, dots and hyphens, as s3://bucket/prefix");
}

/** Without slashes at its ends. */
function readPrefix(path: string): string {
  const prefix = path.replace(/^\//, "").replace(/\/$/, "");
  const isGood = prefix === "" || (prefix.length <= MAX_PREFIX_LENGTH && prefix.split("/").every(isComponent));
  if (isGood) return prefix;
  throw new ValueProblem(
    `must have a prefix of at most ${MAX_PREFIX_LENGTH} letters, digits, '.', '_', '-' with single slashes between them`,
  );
}

function isComponent(text: string): boolean {
  return PREFIX_COMPONENT.test(text);
}

function readEndpoint(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new ValueProblem("must have an endpoint that is a URL such as https://minio.example.com:9000");
  }
  if (url.username !== "" || url.password !== "") throw new ValueProblem("must not have a user name or password in its endpoint");
  if (url.search !== "" || url.hash !== "") throw new ValueProblem("must have an endpoint without query and fragment");
  return url.href.replace(/\/+$/, "");
}

function readRegion(text: string | undefined): string | null {
  if (text === undefined || REGION.test(text)) return text ?? null;
  throw new ValueProblem("must have a region such as eu-central-1");
}

function readFlag(text: string | undefined): boolean {
  if (text === undefined || text === "true" || text === "false") return text === "true";
  throw new ValueProblem("must have forcePathStyle as true or false");
}
