// What receive-pack says of a push: report-status, version 1 or 2, in its own packets inside the side band or bare, and the
// lines that the remote prints for people (gitprotocol-pack, "Reporting").
import { CoregitError } from "../../domain/errors.ts";
import type { PacketReader } from "./packet-reader.ts";
import { lineOf, type Packet, PacketDecoder } from "./wire.ts";

export type PushReport = {
  /** `ok`, or why the pack was not taken. */
  readonly unpack: string;
  /** Null: the ref was moved. Else why not. */
  readonly refusal: string | null;
  /** What the remote printed beside, its end where it is long. */
  readonly said: string;
};

const BAND_REPORT = 1;
const BAND_TEXT = 2;
const BAND_ERROR = 3;
const MAX_SAID = 4096;
const MAX_LINES = 64;

/** @throws CoregitError `RemoteProtocol` for an answer that is no report of this ref, `RemoteUnreachable`. */
export async function readReport(reader: PacketReader, ref: string, isBanded: boolean): Promise<PushReport> {
  const answer = isBanded ? await readBands(reader) : { lines: await readLines(reader), said: "" };
  return { ...parseReport(answer.lines, ref), said: answer.said };
}

async function readLines(reader: PacketReader): Promise<string[]> {
  const lines: string[] = [];
  for (let line = await reader.nextLine(); line !== null; line = await reader.nextLine()) addLine(lines, lineOf(line));
  return lines;
}

async function readBands(reader: PacketReader): Promise<{ readonly lines: string[]; readonly said: string }> {
  const decoder = new PacketDecoder();
  const lines: string[] = [];
  let said = "";
  for (let packet = await reader.nextLine(); packet !== null; packet = await reader.nextLine()) {
    const content = packet.subarray(1);
    if (packet[0] === BAND_ERROR) throw reader.refusal(lineOf(content));
    if (packet[0] === BAND_TEXT) said = (said + content.toString("utf8")).slice(-MAX_SAID);
    if (packet[0] === BAND_REPORT) addLines(lines, decoder.push(content));
  }
  return { lines, said };
}

function addLines(lines: string[], packets: readonly Packet[]): void {
  for (const packet of packets) if (packet.kind === "data") addLine(lines, lineOf(packet.payload));
}

function addLine(lines: string[], line: string): void {
  if (lines.length === MAX_LINES) throw malformed();
  lines.push(line);
}

function parseReport(lines: readonly string[], ref: string): Omit<PushReport, "said"> {
  const [unpack, ...results] = lines;
  if (unpack?.startsWith("unpack ") !== true) throw malformed();
  const failed = results.find((line) => line.startsWith(`ng ${ref} `) || line === `ng ${ref}`);
  const isMoved = results.includes(`ok ${ref}`);
  if (failed === undefined && !isMoved) throw malformed();
  return { unpack: unpack.slice("unpack ".length), refusal: failed === undefined ? null : failed.slice(`ng ${ref} `.length) };
}

function malformed(): CoregitError {
  return new CoregitError("RemoteProtocol", "The remote's report of the push is malformed.");
}
