// Bytes to a client as they come.
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/** A client that takes no byte for this long is gone; git itself sends a sign of life every 5 s while it packs. */
const IDLE_TIMEOUT_MS = 120_000;

export type StreamAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly source: AsyncIterable<Uint8Array>;
};

/** Status and headers go out with the first chunk: what fails before it is still answered with a status of its own. */
export async function sendStream(reply: FastifyReply, { status, headers, source }: StreamAnswer): Promise<FastifyReply> {
  const chunks = await started(source);
  reply.raw.setTimeout(IDLE_TIMEOUT_MS, () => reply.raw.destroy());
  return reply
    .code(status)
    .headers(headers)
    .send(Readable.from(chunks, { objectMode: false }));
}

/** `source` once its first chunk is there. */
async function started(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | null = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const pending = first === null ? iterator.next() : Promise.resolve(first);
        first = null;
        return pending;
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
