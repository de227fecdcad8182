// Every request that a double got, in the order of arrival, for tests that count calls and look at their overlap.
import type { IncomingMessage } from "node:http";
import type { Clock } from "../../../src/domain/clock.ts";
import { fingerprint } from "./identifiers.ts";

export type RecordedRequest = {
  readonly method: string;
  /** Path and query as they arrived; values of queries that carry a token are cut. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How the caller identified itself, its secret reduced to a fingerprint (`fingerprint`); null: not at all. */
  readonly credential: { readonly scheme: "bearer" | "token" | "basic" | "private-token"; readonly fingerprint: string } | null;
  /** By the double's clock, epoch milliseconds. */
  readonly startedAtMs: number;
  /** Requests in progress when it arrived, itself among them. */
  readonly concurrent: number;
  /** Name of the route: the provider's template with its method, `git receive-pack`, …; null when none matched. */
  route: string | null;
  /** Body of the request, parsed, where it was JSON. */
  json: unknown;
  requestBytes: number;
  /** Null until it is answered; stays null when the connection was broken or held. */
  status: number | null;
  endedAtMs: number | null;
  /** Kind of the injected fault that it met. */
  fault: string | null;
};

const SECRET_QUERY = /([?&](?:private_token|access_token|token|job_token)=)[^&]*/gi;

type Credential = RecordedRequest["credential"];

/** The secret in a request and how it was sent. */
export function credentialOf(request: {
  readonly headers: IncomingMessage["headers"];
}): { readonly scheme: NonNullable<Credential>["scheme"]; readonly secret: string; readonly user: string | null } | null {
  const privateToken = request.headers["private-token"];
  if (typeof privateToken === "string") return { scheme: "private-token", secret: privateToken, user: null };
  const [, scheme = "", value = ""] = /^(\S+)\s+(.*)$/.exec(request.headers.authorization ?? "") ?? [];
  if (/^basic$/i.test(scheme)) {
    const [, user = "", secret = ""] = /^([^:]*):?([\s\S]*)$/.exec(Buffer.from(value, "base64").toString("utf8")) ?? [];
    return { scheme: "basic", secret, user };
  }
  if (/^bearer$/i.test(scheme)) return { scheme: "bearer", secret: value, user: null };
  return /^token$/i.test(scheme) ? { scheme: "token", secret: value, user: null } : null;
}

function visibleHeaders(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).filter(([name]) => name !== "authorization" && name !== "private-token");
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

export class Recording {
  readonly requests: RecordedRequest[] = [];
  readonly #clock: Clock;
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The most requests that were in progress at once since the last `clear`. */
  get highWater(): number {
    return this.requests.reduce((most, { concurrent }) => Math.max(most, concurrent), 0);
  }

  open(request: IncomingMessage): RecordedRequest {
    this.#running += 1;
    const credential = credentialOf(request);
    const recorded: RecordedRequest = {
      method: request.method ?? "",
      path: (request.url ?? "").replace(SECRET_QUERY, "$1[cut]"),
      headers: visibleHeaders(request),
      credential: credential === null ? null : { scheme: credential.scheme, fingerprint: fingerprint(credential.secret) },
      startedAtMs: this.#clock.now(),
      concurrent: this.#running,
      route: null,
      json: undefined,
      requestBytes: 0,
      status: null,
      endedAtMs: null,
      fault: null,
    };
    this.requests.push(recorded);
    return recorded;
  }

  /** Called once for each opened request, when its exchange is over however it ended. */
  close(recorded: RecordedRequest): void {
    this.#running -= 1;
    recorded.endedAtMs = this.#clock.now();
  }

  clear(): void {
    this.requests.length = 0;
  }
}
