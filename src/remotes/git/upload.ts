// The body of a push. A small one is sent whole, with its length, as some servers and proxies want it (git does the same up
// to http.postBuffer); a larger one as it is made, at the pace of the remote, which must not stop taking it.
import { CoregitError } from "../../domain/errors.ts";

/** git's http.postBuffer. */
const WHOLE_BYTES = 1 << 20;

export type Upload = {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Resolves when no more of the body will be sent, for whatever reason. */
  readonly settled: Promise<void>;
  /** What the source threw, once it has; null: nothing. */
  failure(): unknown;
};

export type StallRule = {
  /** How long the remote may take for one chunk. */
  readonly stallMs: number;
  readonly onStall: (error: CoregitError) => void;
};

/** Begins to read `source`; it is read on, to its end or not, when the body is. */
export async function openUpload(source: AsyncIterable<Uint8Array>, rule: StallRule): Promise<Upload> {
  const chunks = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= WHOLE_BYTES) {
    const next = await chunks.next();
    if (next.done === true) return { body: Buffer.concat(head), settled: Promise.resolve(), failure: () => null };
    head.push(next.value);
    bytes += next.value.length;
  }
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  let failure: unknown = null;
  const onFailure = (error: unknown): void => {
    failure = error;
  };
  const body = send(head, chunks, { ...rule, onFailure, onSettled: resolve });
  return { body, settled, failure: () => failure };
}

type SendRule = StallRule & { readonly onFailure: (error: unknown) => void; readonly onSettled: () => void };

async function* send(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  rule: SendRule,
): AsyncGenerator<Uint8Array, void, void> {
  const read = () =>
    rest.next().catch((error: unknown) => {
      rule.onFailure(error);
      throw error;
    });
  try {
    for (const chunk of head) yield* offer(chunk, rule);
    for (let next = await read(); next.done !== true; next = await read()) yield* offer(next.value, rule);
  } finally {
    rule.onSettled();
    await rest.return?.();
  }
}

/** Only the time in which the remote takes the chunk counts, not the one in which the next is made. */
async function* offer(chunk: Uint8Array, { stallMs, onStall }: StallRule): AsyncGenerator<Uint8Array, void, void> {
  const timer = setTimeout(
    () => onStall(new CoregitError("RemoteTooSlow", `The remote took none of the push for ${Math.round(stallMs / 1000)} s.`)),
    stallMs,
  );
  try {
    yield chunk;
  } finally {
    clearTimeout(timer);
  }
}
