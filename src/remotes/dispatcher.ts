// The only place that opens connections to remotes. Every new connection is resolved, checked by the SSRF guard and made to
// an address that was checked: a name that changes its mind between two requests is checked again with the new address.
import { X509Certificate } from "node:crypto";
import type { LookupAddress } from "node:dns";
import { lookup as dnsLookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { Agent, buildConnector, type Dispatcher } from "undici";
import { CoregitError } from "../domain/errors.ts";
import { type AllowedHosts, checkAddresses } from "./ssrf-guard.ts";

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (hostname) => dnsLookup(hostname, { all: true, order: "verbatim" });

export type DispatcherOptions = {
  readonly allowedHosts: AllowedHosts;
  readonly resolve: Resolve;
  /** PEM certificates trusted beside those of the system, or null. */
  readonly caPem: string | null;
  readonly connectMs: number;
  readonly headersMs: number;
  /** At a time, to each origin. */
  readonly connections: number;
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Node's default roots (NODE_EXTRA_CA_CERTS and --use-system-ca included) and, appended, those of `caPem`. */
function trustContext(caPem: string): SecureContext {
  const own = caPem.match(CERTIFICATE) ?? [];
  try {
    for (const pem of own) new X509Certificate(pem);
    if (own.length > 0) return createSecureContext({ ca: [...getCACertificates("default"), ...own] });
  } catch (cause) {
    throw new CoregitError("SecretInvalid", "The CA certificate of the connection is not a readable PEM certificate.", { cause });
  }
  throw new CoregitError("SecretInvalid", "The CA certificate of the connection holds no PEM certificate.");
}

function guardedLookup({ allowedHosts, resolve }: DispatcherOptions): LookupFunction {
  return (hostname, options, callback) => {
    const settle = (error: Error | null, addresses: readonly LookupAddress[]): void => {
      const [first] = addresses;
      if (error !== null || first === undefined) callback(toErrno(error, hostname), "", 0);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    };
    resolve(hostname)
      .then((addresses) => {
        checkAddresses(
          allowedHosts,
          hostname,
          addresses.map(({ address }) => address),
        );
        return addresses;
      })
      .then(
        (addresses) => settle(null, addresses),
        (error: unknown) => settle(error instanceof Error ? error : new Error(String(error)), []),
      );
  };
}

function toErrno(error: Error | null, hostname: string): Error {
  return error ?? Object.assign(new Error(`no address for ${hostname}`), { code: "ENOTFOUND" });
}

/**
 * A pool of connections that only reach allowed addresses. HTTP/1.1, no proxy, no redirects, certificates verified
 * against the name that was asked for. Its owner destroys it.
 * @throws CoregitError `SecretInvalid` when `caPem` cannot be read.
 */
export function openDispatcher(options: DispatcherOptions): Dispatcher {
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectMs,
    lookup: guardedLookup(options),
    ...(options.caPem === null ? {} : { secureContext: trustContext(options.caPem) }),
  });
  const guardedConnect: buildConnector.connector = (target, callback) => {
    // A literal address is connected to without a lookup, so it is checked here.
    if (isIP(target.hostname) !== 0) {
      try {
        checkAddresses(options.allowedHosts, target.hostname, [target.hostname]);
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)), null);
        return;
      }
    }
    connect(target, callback);
  };
  return new Agent({
    connect: guardedConnect,
    connections: options.connections,
    pipelining: 1,
    headersTimeout: options.headersMs,
    // The pace of a body is judged where it is read: a slow reader is not a slow remote.
    bodyTimeout: 0,
  });
}
