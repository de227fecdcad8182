// Blobs that cannot travel as text: one request each, some at once. Named by their content, so that a repetition changes nothing.

import { CoregitError } from "../../domain/errors.ts";
import type { Oid } from "../../domain/oid.ts";
import { displayPath } from "../../domain/path-rules.ts";
import type { GitPath } from "../../domain/tree.ts";
import type { Conversation } from "./conversation.ts";

/** GitHub asks for few at once; this many are far from its limit of 100. */
const AT_ONCE = 20;
/** Content on its way at once: in memory it is here some three times, as bytes, base64 and JSON. */
const BYTES_AT_ONCE = 16 * 1024 * 1024;

type Outgoing = { readonly oid: Oid; readonly path: GitPath };

/** @throws CoregitError the first failure; what was under way has ended then, and nothing more is begun. */
export async function sendBlobs(conversation: Conversation, blobs: readonly Outgoing[]): Promise<void> {
  const waiting = blobs.values();
  const room = new Room(BYTES_AT_ONCE);
  let failure: unknown = null;
  const send = async (): Promise<void> => {
    for (const blob of waiting) {
      try {
        using _taken = await room.take(await conversation.plan.blobs.size(blob.oid));
        if (failure !== null) return;
        await sendBlob(conversation, blob);
      } catch (error) {
        failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, blobs.length) }, send));
  if (failure !== null) throw failure;
}

async function sendBlob({ octokit, plan, repository, ask }: Conversation, { oid, path }: Outgoing): Promise<void> {
  const content = Buffer.from(await plan.blobs.read(oid)).toString("base64");
  const { data } = await ask({ kind: "blob", paths: [displayPath(path)] }, () =>
    octokit.rest.git.createBlob({ ...repository, content, encoding: "base64" }),
  );
  if (data?.sha !== oid) {
    throw new CoregitError("RemoteTreeDiffers", `GitHub names the content of ${displayPath(path)} otherwise than git does.`);
  }
}

/** Bytes that may be on their way; one that is larger than all room goes alone. */
class Room {
  readonly #size: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  async take(bytes: number): Promise<Disposable> {
    const taken = Math.min(bytes, this.#size);
    while (this.#free < taken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#free -= taken;
    return {
      [Symbol.dispose]: () => {
        this.#free += taken;
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
    };
  }
}
