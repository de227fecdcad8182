// An answer that goes on: one JSON value a line, for as long as both sides want.
import { UnexpectedAnswer } from "./read-answer.ts";

/** The values as they come. Leaving the loop early ends the connection. Empty lines only keep it open. */
export async function readLines<T>(response: Response): Promise<AsyncGenerator<T, void, undefined>> {
  const isLines = response.headers.get("content-type")?.startsWith("application/x-ndjson") === true;
  if (!isLines || response.body === null) throw new UnexpectedAnswer(response, "a body that is not lines of JSON");
  return linesOf<T>(response.body);
}

async function* linesOf<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T, void, undefined> {
  // By a reader, because not every browser can loop over a stream.
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = `${rest}${decoder.decode(part.value, { stream: true })}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
    }
  } finally {
    await reader.cancel();
  }
}
