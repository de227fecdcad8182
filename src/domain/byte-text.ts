// Between git's bytes (held as latin1 strings, one character a byte) and text. git stores no encoding for names,
// so text is UTF-8 when the bytes are valid UTF-8 and unknown otherwise.
import { TextDecoder } from "node:util";

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the range in which bytes and text are the same.
const ASCII = /^[\u0000-\u007f]*$/;

/** The text of UTF-8 bytes, or null when they are not valid UTF-8. */
export function bytesToText(latin1: string): string | null {
  if (ASCII.test(latin1)) return latin1;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, "latin1"));
  } catch {
    return null;
  }
}

/** The UTF-8 bytes of a text, one per character. Lone surrogates become U+FFFD. */
export function textToBytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** Bytes as text for reading: in the named encoding when it is known, else UTF-8; U+FFFD where they do not fit. */
export function decodeText(bytes: Uint8Array, encoding?: string): string {
  return decoderFor(encoding ?? "utf-8").decode(bytes);
}

function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label, { ignoreBOM: true });
  } catch {
    return new TextDecoder("utf-8", { ignoreBOM: true });
  }
}
