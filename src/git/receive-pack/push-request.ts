// The body of a push (gitprotocol-pack, "Reference Update Request"): what each ref should become, then a pack. The commands
// are read here, with bounds on all of them; the pack is left to whoever takes it.
import { CoregitError } from "../../domain/errors.ts";
import { isOid, type Oid, ZERO_OID } from "../../domain/oid.ts";
import { PACKET_HEADER_BYTES, readPacketLength } from "../../domain/pkt-line.ts";

export type PushCommand = {
  /** As the client sent it: nothing has been checked but that it is text without line ends and NUL. */
  readonly name: string;
  /** What the client takes the ref to be; null: not there. */
  readonly expected: Oid | null;
  /** null deletes the ref. */
  readonly next: Oid | null;
};

export type PushRequest = {
  readonly commands: readonly PushCommand[];
  /** By name; those without a value have "". */
  readonly capabilities: ReadonlyMap<string, string>;
  /** What follows the commands, as it comes. */
  readonly pack: AsyncIterable<Uint8Array>;
};

/** A mirror of a repository with more refs is pushed in parts. */
const MAX_COMMANDS = 10_000;
/** Two oids, the longest name that could be a ref, and what a client says of itself on the first line. */
const MAX_LINE_BYTES = 4_096;

/** @throws CoregitError `InvalidRequest` for anything but a list of commands. */
export async function readPushRequest(body: AsyncIterable<Uint8Array>): Promise<PushRequest> {
  const input = new PacketInput(body);
  const lines = await readLines(input);
  // What the client says of itself stands on the first line, behind a NUL.
  const [first = "", ...others] = lines;
  const [command = "", capabilities = ""] = first.split("\0", 2);
  const commands = lines.length === 0 ? [] : [command, ...others].map(readCommand);
  return { commands, capabilities: checkCapabilities(readCapabilities(capabilities)), pack: input.rest() };
}

/** One for each command. */
async function readLines(input: PacketInput): Promise<string[]> {
  const lines: string[] = [];
  for (let line = await input.nextLine(); line !== null; line = await input.nextLine()) {
    // What the client lacks does not matter: a tip is taken when all that it leads to is here.
    if (!line.startsWith("shallow ")) lines.push(line);
    if (lines.length > MAX_COMMANDS) throw malformed(`it has more than ${MAX_COMMANDS} commands`);
  }
  return lines;
}

function readCommand(line: string): PushCommand {
  const [, old = "", next = "", name = ""] = /^([0-9a-f]{40}) ([0-9a-f]{40}) ([^\0\n]+)$/.exec(line) ?? [];
  if (!isOid(old) || !isOid(next)) throw malformed("one of its lines is no command");
  return { name, expected: old === ZERO_OID ? null : old, next: next === ZERO_OID ? null : next };
}

function readCapabilities(text: string): ReadonlyMap<string, string> {
  const words = text.trim().split(" ");
  return new Map(words.map((word) => [word.split("=", 1)[0] ?? "", word.split("=").slice(1).join("=")]));
}

/** Those that change what the request looks like, and are not offered. */
function checkCapabilities(capabilities: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (capabilities.has("push-options")) throw new CoregitError("InvalidRequest", "Push options are not taken here.");
  if (capabilities.has("push-cert")) throw new CoregitError("InvalidRequest", "Signed pushes are not taken here.");
  const format = capabilities.get("object-format") ?? "sha1";
  if (format !== "sha1") throw new CoregitError("InvalidRequest", "The repository has SHA-1 object names only.");
  return capabilities;
}

function malformed(why: string): CoregitError {
  return new CoregitError("InvalidRequest", `The request is not a push as git sends it: ${why}.`);
}

/** Lines of a byte stream up to a flush, and then whatever is left of it. */
class PacketInput {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Without its line end; null: the lines are over. */
  async nextLine(): Promise<string | null> {
    const length = readPacketLength(await this.#take(PACKET_HEADER_BYTES), 0);
    if (length === 0) return null;
    if (length === null || length <= PACKET_HEADER_BYTES) throw malformed("it has no packet length where one belongs");
    if (length > MAX_LINE_BYTES) throw malformed(`one of its lines is longer than ${MAX_LINE_BYTES} bytes`);
    const payload = await this.#take(length - PACKET_HEADER_BYTES);
    return this.#decode(payload).replace(/\n$/, "");
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    if (this.#held.length > 0) yield this.#held;
    for (;;) {
      const next = await this.#source.next();
      if (next.done === true) return;
      yield next.value;
    }
  }

  async #take(size: number): Promise<Buffer> {
    while (this.#held.length < size) {
      const next = await this.#source.next();
      if (next.done === true) throw malformed("it ends among its commands");
      this.#held = Buffer.concat([this.#held, next.value]);
    }
    const taken = this.#held.subarray(0, size);
    this.#held = this.#held.subarray(size);
    return taken;
  }

  #decode(payload: Buffer): string {
    try {
      return this.#decoder.decode(payload);
    } catch (cause) {
      throw new CoregitError("InvalidRequest", "A ref name of the push is not valid UTF-8.", { cause });
    }
  }
}
