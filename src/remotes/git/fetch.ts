// Fetching one commit at depth 1, in protocol version 2 and in the version that came before it. What both sides have is
// told as a shallow commit, so the pack holds only what is new and may be thin.
import { CoregitError } from "../../domain/errors.ts";
import type { FetchRequest } from "../remote.ts";
import type { Capabilities, Server } from "./advertisement.ts";
import { commandLines } from "./ls-refs.ts";
import type { PacketReader } from "./packet-reader.ts";
import { encodeLine, FLUSH, lineOf } from "./wire.ts";

const BAND_PACK = 1;
const BAND_ERROR = 3;
const NOTHING = Buffer.alloc(0);

function unsupported(what: string): CoregitError {
  return new CoregitError("RemoteUnsupported", `The remote does not offer ${what}, which git has had since 1.5.6.`);
}

/** @throws CoregitError `RemoteUnsupported`. */
export function fetchRequest(server: Server, request: FetchRequest, agent: string): Buffer {
  return server.version === 2
    ? fetchRequestV2(server.capabilities, request, agent)
    : fetchRequestV0(server.capabilities, request, agent);
}

function fetchRequestV2(capabilities: Capabilities, { oid, have }: FetchRequest, agent: string): Buffer {
  if (capabilities.get("fetch")?.split(" ").includes("shallow") !== true) throw unsupported("shallow fetches");
  return Buffer.concat([
    ...commandLines("fetch", capabilities, agent),
    encodeLine("no-progress"),
    encodeLine("ofs-delta"),
    ...(have === null ? [] : [encodeLine("thin-pack"), encodeLine(`shallow ${have}`)]),
    encodeLine("deepen 1"),
    encodeLine(`want ${oid}`),
    ...(have === null ? [] : [encodeLine(`have ${have}`)]),
    encodeLine("done"),
    FLUSH,
  ]);
}

function fetchRequestV0(capabilities: Capabilities, { oid, have }: FetchRequest, agent: string): Buffer {
  if (!capabilities.has("shallow")) throw unsupported("shallow fetches");
  if (!capabilities.has("side-band-64k")) throw unsupported("side-band-64k");
  const wished = ["side-band-64k", "ofs-delta", "no-progress", ...(have === null ? [] : ["thin-pack"])];
  const offered = wished.filter((name) => capabilities.has(name));
  const announced = capabilities.has("agent") ? [`agent=${agent}`] : [];
  return Buffer.concat([
    encodeLine(`want ${oid} ${[...offered, ...announced].join(" ")}`),
    ...(have === null ? [] : [encodeLine(`shallow ${have}`)]),
    encodeLine("deepen 1"),
    FLUSH,
    ...(have === null ? [] : [encodeLine(`have ${have}`)]),
    encodeLine("done"),
  ]);
}

/**
 * The bytes of the pack in the answer.
 * @throws CoregitError `RemoteMoved`, `RemoteProtocol`.
 */
export async function* readPack(reader: PacketReader, version: Server["version"]): AsyncGenerator<Buffer, void, void> {
  let payload = version === 2 ? await skipToPackSection(reader) : await skipToSideBand(reader);
  while (payload !== null) {
    const bytes = packBytes(payload, reader);
    if (bytes.length > 0) yield bytes;
    const packet = await reader.next();
    payload = packet.kind === "data" ? packet.payload : null;
  }
}

/** Version 2: sections follow each other, each a title and lines; the pack is the last. Returns its first packet. */
async function skipToPackSection(reader: PacketReader): Promise<Buffer | null> {
  for (;;) {
    const line = await reader.nextLine();
    if (line !== null && lineOf(line) === "packfile") return reader.nextLine();
  }
}

/** Before version 2: shallow lines and a flush, ACK or NAK, and from then on every packet begins with its band. */
async function skipToSideBand(reader: PacketReader): Promise<Buffer> {
  for (;;) {
    const line = await reader.nextLine();
    if (line !== null && isBanded(line)) return line;
  }
}

function isBanded(payload: Buffer): boolean {
  const band = payload[0];
  return band !== undefined && band >= BAND_PACK && band <= BAND_ERROR;
}

/** Pack bytes are passed on, progress is not kept, an error ends the fetch. */
function packBytes(payload: Buffer, reader: PacketReader): Buffer {
  if (!isBanded(payload)) throw new CoregitError("RemoteProtocol", "The remote's answer to a fetch is malformed.");
  if (payload[0] === BAND_ERROR) throw reader.refusal(lineOf(payload.subarray(1)));
  return payload[0] === BAND_PACK ? payload.subarray(1) : NOTHING;
}
