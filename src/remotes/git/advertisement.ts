// The first thing that a server says: its protocol version and capabilities and, before version 2, all of its refs
// (gitprotocol-v2, gitprotocol-pack). Reads a stream of any length in constant memory.
import { CoregitError } from "../../domain/errors.ts";
import type { RemoteHead } from "../remote.ts";
import { createHeadCollector, parseOidField } from "./head.ts";
import type { PacketReader } from "./packet-reader.ts";
import { lineOf } from "./wire.ts";

export type Capabilities = ReadonlyMap<string, string>;

export type Server = { readonly version: 0 | 2; readonly capabilities: Capabilities };

/** `head` is null for version 2, which lists refs on request only. */
export type Advertisement = { readonly server: Server; readonly head: RemoteHead | null };

/** git has about twenty; more is not a server that means well. */
const MAX_CAPABILITIES = 256;

/**
 * @param branch the branch whose head is wanted from a server without version 2; null: the one that HEAD names.
 * @throws CoregitError `RemoteProtocol`, `RemoteUnsupported` (an object format other than SHA-1), `RemoteUnreachable`.
 */
export async function readAdvertisement(reader: PacketReader, branch: string | null): Promise<Advertisement> {
  const first = await readFirstLine(reader);
  if (first === null) return emptyRemote(branch);
  if (!first.toString("latin1").startsWith("version 2")) return readRefs(reader, first, branch);
  const capabilities = await readCapabilityLines(reader);
  checkObjectFormat(capabilities);
  return { server: { version: 2, capabilities }, head: null };
}

/** The first line after the preamble of smart HTTP (`# service=…` and a flush) and `version 1`, both of which may lack; null for none. */
async function readFirstLine(reader: PacketReader): Promise<Buffer | null> {
  let line = await reader.nextLine();
  if (line?.toString("latin1").startsWith("# service=git-") === true) {
    await reader.nextLine();
    line = await reader.nextLine();
  }
  if (line !== null && lineOf(line) === "version 1") line = await reader.nextLine();
  return line;
}

/** An empty repository has no ref that could carry capabilities: old versions of git then announce nothing. */
function emptyRemote(branch: string | null): Advertisement {
  return { server: { version: 0, capabilities: new Map() }, head: { branch, oid: null, isEmpty: true } };
}

async function readCapabilityLines(reader: PacketReader): Promise<Capabilities> {
  const capabilities = new Map<string, string>();
  for (let line = await reader.nextLine(); line !== null; line = await reader.nextLine()) {
    addCapability(capabilities, lineOf(line));
  }
  return capabilities;
}

function addCapability(capabilities: Map<string, string>, text: string): void {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  // symref may come several times, HEAD's first; a later one does not replace it.
  if (!capabilities.has(name)) capabilities.set(name, equals < 0 ? "" : text.slice(equals + 1));
  if (capabilities.size > MAX_CAPABILITIES) throw malformed();
}

async function readRefs(reader: PacketReader, first: Buffer, branch: string | null): Promise<Advertisement> {
  const [line, capabilities] = splitFirstRef(first);
  const collector = createHeadCollector(branch, headSymref(capabilities));
  if (!line.endsWith(" capabilities^{}")) collector.add(line);
  for (let next = await reader.nextLine(); next !== null; next = await reader.nextLine()) {
    const text = lineOf(next);
    if (!text.startsWith("shallow ")) collector.add(text);
  }
  return { server: { version: 0, capabilities }, head: collector.result() };
}

/** `<oid> <name>NUL<capabilities>` */
function splitFirstRef(payload: Buffer): [line: string, capabilities: Capabilities] {
  const end = payload.indexOf(0);
  if (end < 0) throw malformed();
  const capabilities = new Map<string, string>();
  for (const item of lineOf(payload.subarray(end + 1)).split(" ")) {
    if (item !== "" && (item.startsWith("symref=HEAD:") || !item.startsWith("symref="))) addCapability(capabilities, item);
  }
  checkObjectFormat(capabilities);
  const line = payload.toString("utf8", 0, end);
  parseOidField(line);
  return [line, capabilities];
}

function headSymref(capabilities: Capabilities): string | null {
  return capabilities.get("symref")?.slice("HEAD:".length) ?? null;
}

function checkObjectFormat(capabilities: Capabilities): void {
  const format = capabilities.get("object-format") ?? "sha1";
  if (format !== "sha1") {
    throw new CoregitError(
      "RemoteUnsupported",
      "The remote stores objects under SHA-256 names; only SHA-1 repositories can be read.",
    );
  }
}

function malformed(): CoregitError {
  return new CoregitError("RemoteProtocol", "The remote's list of capabilities and refs is malformed.");
}
