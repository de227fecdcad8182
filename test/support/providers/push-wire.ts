// The two ends of a push that a double looks at: the commands of git-receive-pack, and its report to the client.
import { encodeLine, encodePacket, FLUSH, readPacketLength } from "../../../src/domain/pkt-line.ts";
import type { RefUpdate } from "./bare-repository.ts";

export type PushCommands = { readonly updates: readonly RefUpdate[]; readonly hasSideBand: boolean };

/** Why a ref was not moved, as git shows it in brackets. */
export type RefRefusal = { readonly ref: string; readonly reason: string };

function readPackets(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = readPacketLength(bytes, at) ?? 0;
    if (length < 4) break;
    packets.push(bytes.subarray(at + 4, at + length));
    at += length;
  }
  return packets;
}

export function readPushCommands(body: Buffer): PushCommands {
  const lines = readPackets(body).map((packet) => packet.toString("utf8").replace(/\n$/, ""));
  const updates = lines.flatMap((line) => {
    const [, before = "", after = "", ref] = /^([0-9a-f]{40}) ([0-9a-f]{40}) ([^\0]+)/.exec(line) ?? [];
    return ref === undefined ? [] : [{ ref, before, after }];
  });
  return { updates, hasSideBand: /\bside-band-64k\b/.test(lines[0] ?? "") };
}

function onBand(band: 1 | 2, text: Uint8Array): Buffer {
  return encodePacket(Buffer.concat([Buffer.from([band]), text]));
}

/** The answer of a server that refuses a push; `messages` come out as `remote: …`. */
export function encodeRefusal(commands: PushCommands, refusals: readonly RefRefusal[], messages: readonly string[]): Buffer {
  const reasonOf = new Map(refusals.map(({ ref, reason }) => [ref, reason]));
  const lines = commands.updates.map(({ ref }) => encodeLine(`ng ${ref} ${reasonOf.get(ref) ?? "pre-receive hook declined"}`));
  const report = Buffer.concat([encodeLine("unpack ok"), ...lines, FLUSH]);
  if (!commands.hasSideBand) return report;
  const spoken = messages.map((message) => onBand(2, Buffer.from(`${message}\n`)));
  return Buffer.concat([...spoken, onBand(1, report), FLUSH]);
}

export type PushReport = { readonly accepted: ReadonlySet<string>; readonly spoken: string };

/** What git reported: the refs that it moved, and what it said beside. */
export function readReport(body: Buffer, hasSideBand: boolean): PushReport {
  const packets = hasSideBand ? readPackets(body) : [];
  const band = (number: number): Buffer =>
    Buffer.concat(packets.filter((packet) => packet[0] === number).map((packet) => packet.subarray(1)));
  const report = readPackets(hasSideBand ? band(1) : body).map((line) => line.toString("utf8").trim());
  const accepted = report.filter((line) => line.startsWith("ok ")).map((line) => line.slice(3));
  return { accepted: new Set(accepted), spoken: band(2).toString("utf8") };
}
