// Bytes to a client as they come.
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { HTTP_LIMITS } from "./limits.ts";

export type StreamAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly source: AsyncIterable<Uint8Array>;
  /** A client that takes no byte for this long is gone. */
  readonly idleMs?: number;
};

/** Status and headers go out with the first chunk: what fails before it is still answered with a status of its own. */
export async function sendStream(reply: FastifyReply, answer: StreamAnswer): Promise<FastifyReply> {
  const { status, headers, source, idleMs = HTTP_LIMITS.answerIdleMs } = answer;
  const chunks = await started(source);
  reply.raw.setTimeout(idleMs, () => reply.raw.destroy());
  return reply
    .code(status)
    .headers(headers)
    .send(Readable.from(chunks, { objectMode: false }));
}

/** Text for as long as there is some; as `sendStream`. */
export async function sendText(reply: FastifyReply, text: AsyncIterable<string>): Promise<FastifyReply> {
  return reply.send(Readable.from(await started(text), { objectMode: false }));
}

/** `source` once its first chunk is there. */
async function started<T>(source: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = source[Symbol.asyncIterator]();
  let first: IteratorResult<T> | null = await iterator.next();
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
