// Keeps the command line and the environment of every process that the program under test starts, in the process that loads this.
// What a test starts by itself is not the program's.
import { subscribe } from "node:diagnostics_channel";
import { basename } from "node:path";
import { keepSaid, keepsEvidence } from "./evidence.ts";

/** A frame of the program, not of a test beside it. */
const PROGRAM_FRAME = /\/(?:src|dist)\/(?!.*\.test\.ts)/;
const DEEPEST_STACK = 50;

type Start = { readonly options: { readonly args?: readonly string[]; readonly envPairs?: readonly string[] } };

if (keepsEvidence()) {
  subscribe("tracing:child_process.spawn:start", (message) => {
    if (!isStartedByProgram()) return;
    const { args: [program = "", ...args] = [], envPairs = [] } = (message as Start).options;
    keepSaid(`the command line of ${basename(program)}`, args.join("\n"));
    keepSaid(`the environment of ${basename(program)}`, envPairs.join("\n"));
  });
}

function isStartedByProgram(): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = DEEPEST_STACK;
  const { stack = "" } = new Error("where");
  Error.stackTraceLimit = limit;
  return stack.split("\n").some((frame) => !frame.includes("node_modules") && PROGRAM_FRAME.test(frame));
}
