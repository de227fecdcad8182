// What became of a push, in git's words (gitprotocol-pack, "Report Status"). Both versions of the report are the same
// here: the second has more to say only of refs that a server stores under another name.
import { encodeLine, encodePacket, FLUSH, MAX_PACKET_BYTES, PACKET_HEADER_BYTES } from "../../domain/pkt-line.ts";

export type PushReport = {
  /** Why the pack was not taken; null: it was, or there was none. */
  readonly unpackProblem: string | null;
  /** By ref name, in the order of the commands. A problem: why the ref was not changed. */
  readonly refs: readonly { readonly name: string; readonly problem: string | null }[];
};

/** The band of the answer that carries the report. */
const REPORT_BAND = Buffer.from([1]);
const BAND_BYTES = MAX_PACKET_BYTES - PACKET_HEADER_BYTES - REPORT_BAND.length;
const MAX_PROBLEM_CHARACTERS = 500;

/** The answer to a push by a client with these capabilities. */
export function encodeReport(report: PushReport, capabilities: ReadonlyMap<string, string>): Buffer {
  const isWanted = capabilities.has("report-status") || capabilities.has("report-status-v2");
  const lines = isWanted ? encodeLines(report) : Buffer.alloc(0);
  return capabilities.has("side-band-64k") ? inBand(lines) : lines;
}

function encodeLines({ unpackProblem, refs }: PushReport): Buffer {
  const unpack = encodeLine(`unpack ${unpackProblem === null ? "ok" : oneLine(unpackProblem)}`);
  const states = refs.map(({ name, problem }) => encodeLine(problem === null ? `ok ${name}` : `ng ${name} ${oneLine(problem)}`));
  return Buffer.concat([unpack, ...states, FLUSH]);
}

function inBand(bytes: Buffer): Buffer {
  const packets: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += BAND_BYTES) {
    packets.push(encodePacket(Buffer.concat([REPORT_BAND, bytes.subarray(start, start + BAND_BYTES)])));
  }
  return Buffer.concat([...packets, FLUSH]);
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").slice(0, MAX_PROBLEM_CHARACTERS);
}
