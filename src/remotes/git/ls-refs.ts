// The command `ls-refs` of protocol version 2, asked for as little as answers the question.
import { branchRef } from "../../domain/ref-name.ts";
import type { RemoteHead } from "../remote.ts";
import type { Capabilities } from "./advertisement.ts";
import { createHeadCollector } from "./head.ts";
import type { PacketReader } from "./packet-reader.ts";
import { DELIMITER, encodeLine, FLUSH, lineOf } from "./wire.ts";

/** The lines that every command begins with. */
export function commandLines(command: string, capabilities: Capabilities, agent: string): Buffer[] {
  return [
    encodeLine(`command=${command}`),
    ...(capabilities.has("agent") ? [encodeLine(`agent=${agent}`)] : []),
    ...(capabilities.has("object-format") ? [encodeLine("object-format=sha1")] : []),
    DELIMITER,
  ];
}

/** Asks for one branch, or for HEAD and what it points to. @throws CoregitError `RefNameRefused`. */
export function lsHeadRequest(branch: string | null, capabilities: Capabilities, agent: string): Buffer {
  const canTellUnborn = capabilities.get("ls-refs")?.split(" ").includes("unborn") === true;
  return Buffer.concat([
    ...commandLines("ls-refs", capabilities, agent),
    encodeLine("symrefs"),
    ...(canTellUnborn ? [encodeLine("unborn")] : []),
    encodeLine(`ref-prefix ${branch === null ? "HEAD" : branchRef(branch)}`),
    FLUSH,
  ]);
}

/** Asks for all refs; the answer is read no further than the first. */
export function lsAnyRequest(capabilities: Capabilities, agent: string): Buffer {
  return Buffer.concat([...commandLines("ls-refs", capabilities, agent), encodeLine("ref-prefix refs/"), FLUSH]);
}

/** @throws CoregitError `RemoteProtocol`, `RemoteUnreachable`. */
export async function readHeadLines(reader: PacketReader, branch: string | null): Promise<RemoteHead> {
  const collector = createHeadCollector(branch, null);
  for (let line = await reader.nextLine(); line !== null; line = await reader.nextLine()) collector.add(lineOf(line));
  return collector.result();
}

/** Whether the answer lists anything; reads one line. */
export async function hasAnyRef(reader: PacketReader): Promise<boolean> {
  return (await reader.nextLine()) !== null;
}
