// Lines of the program's real logger, as the objects that they are.
import { Writable } from "node:stream";

export type LogLine = Readonly<Record<string, unknown>>;

export function linesIn(): { readonly destination: Writable; lines(): LogLine[] } {
  let text = "";
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const lines = () => text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LogLine]));
  return { destination, lines };
}
