// The body of a git request: decoded from gzip where the client compressed it, and bounded either way, so that a small
// request cannot unpack into a large one.
import { finished, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CoregitError } from "../domain/errors.ts";

/** Want and have lines are 50 bytes each: this is more than 600,000 of them, more than any real exchange. */
export const MAX_GIT_REQUEST_BYTES = 32 * 1024 * 1024;

/**
 * The decoded bytes of `body` as they come.
 * @throws CoregitError `BodyTooLarge` past `maxBytes`, `InvalidRequest` for another encoding or broken gzip.
 */
export async function* readGitBody(
  body: Readable,
  encoding: string | undefined,
  maxBytes: number = MAX_GIT_REQUEST_BYTES,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of decode(body, encoding)) {
    total += chunk.byteLength;
    if (total > maxBytes) throw new CoregitError("BodyTooLarge", `The request is larger than ${maxBytes} bytes.`);
    yield chunk;
  }
}

function decode(body: Readable, encoding: string | undefined): AsyncIterable<Uint8Array> {
  const name = encoding?.trim().toLowerCase() ?? "identity";
  if (name === "identity") return body;
  if (name === "gzip" || name === "x-gzip") return gunzip(body);
  throw new CoregitError("InvalidRequest", "The request body has an encoding other than gzip.");
}

/** Leaves `body` as it is when it stops: a refusal is answered on the connection that the body comes by. */
async function* gunzip(body: Readable): AsyncGenerator<Uint8Array> {
  const unzipped = createGunzip();
  const forget = finished(body, { writable: false }, (error) => {
    if (error) unzipped.destroy(error);
  });
  body.pipe(unzipped);
  try {
    yield* unzipped;
  } catch (cause) {
    throw new CoregitError("InvalidRequest", "The request body is not valid gzip.", { cause });
  } finally {
    forget();
    body.unpipe(unzipped);
    unzipped.destroy();
  }
}
