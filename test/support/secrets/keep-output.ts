// Keeps what a program of the tests writes, line by line as it comes, whatever a test does with it: of one that is killed all is kept,
// and no secret is cut in two by the way that it arrives.
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { keepSaid, keepsEvidence } from "./evidence.ts";

/** Of both streams. Takes nothing away from others who read them. */
export function keepOutput(program: string, { stdout, stderr }: Pick<ChildProcess, "stdout" | "stderr">): void {
  if (!keepsEvidence()) return;
  for (const stream of [stdout, stderr]) if (stream !== null) keepLines(`the output of ${program}`, stream);
}

function keepLines(source: string, stream: Readable): void {
  const decoder = new StringDecoder();
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const text = rest + decoder.write(chunk);
    const end = text.lastIndexOf("\n") + 1;
    if (end > 0) keepSaid(source, text.slice(0, end));
    rest = text.slice(end);
  });
  stream.once("close", () => {
    if (rest !== "") keepSaid(source, rest);
  });
}
