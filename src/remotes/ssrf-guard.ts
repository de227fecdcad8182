// Which addresses a remote may have. Decides on addresses, never on spellings: names are resolved by the dispatcher, which
// asks here about every address before it connects. Resolves and connects to nothing itself.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { CoregitError } from "../domain/errors.ts";

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Hosts exempt from the block on private addresses (COREGIT_ALLOWED_HOSTS), parsed. */
export type AllowedHosts = { readonly names: ReadonlySet<string>; readonly ranges: readonly Range[] };

/** What ipaddr.js calls a range, in words for a sentence. What is not here is shown as "reserved". */
const CLASS_NAMES: Readonly<Record<string, string>> = {
  unspecified: "unspecified",
  broadcast: "broadcast",
  multicast: "multicast",
  linkLocal: "link-local",
  loopback: "loopback",
  carrierGradeNat: "carrier-grade NAT",
  private: "private",
  uniqueLocal: "private",
  deprecatedSiteLocal: "private",
};

/** Metadata services of clouds: the first three are in blocked ranges anyway, Azure's looks public. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"]);

/** `::10.0.0.1`, which RFC 4291 has retired. */
const IPV4_COMPATIBLE = /^::\d+\./;

/** The only IPv6 space handed out for public use (RFC 4291, IANA registry). */
const GLOBAL_IPV6: Range = [ipaddr.parse("2000::"), 3];

/** @throws CoregitError `InvalidSpec` naming the entry that is neither a name, an address nor a CIDR. */
export function parseAllowedHosts(entries: readonly string[]): AllowedHosts {
  const names = new Set<string>();
  const ranges: Range[] = [];
  for (const entry of entries) {
    const range = parseRange(entry.trim());
    if (range === null) names.add(parseName(entry));
    else ranges.push(range);
  }
  return { names, ranges };
}

function parseRange(entry: string): Range | null {
  if (ipaddr.isValidCIDR(entry)) return unmapRange(ipaddr.parseCIDR(entry));
  const bare = entry.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) === 0) return null;
  const address = ipaddr.process(bare);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function unmapRange([address, bits]: Range): Range {
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) return [address.toIPv4Address(), bits - 96];
  return [address, bits];
}

function parseName(entry: string): string {
  const name = URL.canParse(`http://${entry.trim()}/`) ? new URL(`http://${entry.trim()}/`).host : "";
  if (name === "" || /[:/%*]/.test(entry)) {
    throw new CoregitError(
      "InvalidSpec",
      `COREGIT_ALLOWED_HOSTS: ${JSON.stringify(entry.slice(0, 200))} is not a host name, an address or a CIDR.`,
    );
  }
  return canonicalName(name);
}

function canonicalName(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, "");
}

/** The IPv4 address that an IPv6 address stands for: mapped, NAT64 (RFC 6052) or 6to4 (RFC 3056); else null. */
function embeddedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const bytes = address.toByteArray();
  const kind = address.range();
  if (address.match(ipaddr.IPv6.parse("64:ff9b::"), 96)) return new ipaddr.IPv4(bytes.slice(12));
  return kind === "6to4" ? new ipaddr.IPv4(bytes.slice(2, 6)) : null;
}

/**
 * Why an address is not a public one, as an adjective; null: it is public. Translated addresses count as what they
 * lead to.
 */
export function addressClass(text: string): string | null {
  if (!ipaddr.isValid(text)) return "malformed";
  // ipaddr.js reads this form as a mapped address, which it is not.
  if (IPV4_COMPATIBLE.test(text)) return "reserved";
  const address = ipaddr.process(text);
  if (METADATA_ADDRESSES.has(address.toString())) return "metadata";
  if (address instanceof ipaddr.IPv6) return ipv6Class(address);
  return className(address.range());
}

function ipv6Class(address: ipaddr.IPv6): string | null {
  const embedded = embeddedIPv4(address);
  if (embedded !== null) return addressClass(embedded.toString());
  if (address.range() === "unicast" && !contains(GLOBAL_IPV6, address)) return "reserved";
  return className(address.range());
}

function className(range: string): string | null {
  return range === "unicast" ? null : (CLASS_NAMES[range] ?? "reserved");
}

function contains([network, bits]: Range, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

function isListedAddress(allowed: AllowedHosts, text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return allowed.ranges.some((range) => contains(range, address));
}

/** The operator listed this very host: its name, or the literal address it is. */
export function isListedHost(allowed: AllowedHosts, hostname: string): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return allowed.names.has(canonicalName(bare)) || isListedAddress(allowed, bare);
}

/**
 * Passes when `hostname` is listed by name, or every one of its addresses is public or listed: one bad address refuses the
 * host, since which one is used is chance.
 * @throws CoregitError `AddressRefused`.
 */
export function checkAddresses(allowed: AllowedHosts, hostname: string, addresses: readonly string[]): void {
  if (allowed.names.has(canonicalName(hostname))) return;
  for (const address of addresses) {
    const kind = addressClass(address);
    if (kind === null || isListedAddress(allowed, address)) continue;
    const what = address === hostname ? "is" : "resolves to";
    throw new CoregitError(
      "AddressRefused",
      `The host ${hostname} ${what} a ${kind} address; an operator can allow it with COREGIT_ALLOWED_HOSTS.`,
      { details: { host: hostname, addressClass: kind } },
    );
  }
}
