// Finds secrets in texts: as they are, and as JSON, URLs, base64 and hexadecimal digits have them.
import type { KnownSecret } from "./evidence.ts";

/** Shorter lines of a PEM file are not looked for. */
const SHORTEST_LINE = 24;
/** Bytes at the start of each form by which it is looked up. */
const START = 4;

type Form = { readonly kind: string; readonly bytes: Buffer };

export class SecretFinder {
  readonly #byStart = new Map<number, Form[]>();
  /** Whether a form begins with these two bytes: rules out nearly every place of a text without a lookup. */
  readonly #mayStart = new Uint8Array(1 << 16);

  constructor(secrets: Iterable<KnownSecret>) {
    const kinds = new Map([...secrets].map(({ kind, value }) => [value, kind]));
    for (const [value, kind] of kinds) {
      for (const form of formsOf(value)) this.#add({ kind, bytes: Buffer.from(form) });
    }
  }

  /** The kinds of the secrets in a text. */
  kindsIn(text: Buffer): ReadonlySet<string> {
    const kinds = new Set<string>();
    for (let at = 0; at <= text.length - START; at += 1) {
      if (this.#mayStart[text.readUInt16LE(at)] === 0) continue;
      for (const { kind, bytes } of this.#byStart.get(text.readUInt32LE(at)) ?? []) {
        if (bytes.equals(text.subarray(at, at + bytes.length))) kinds.add(kind);
      }
    }
    return kinds;
  }

  #add(form: Form): void {
    const start = form.bytes.readUInt32LE();
    this.#mayStart[start & 0xffff] = 1;
    this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), form]);
  }
}

/** A secret of several lines is recognised by any long one of them, whatever their breaks became. */
export function formsOf(secret: string): readonly string[] {
  const lines = secret.split("\n").filter((line) => line.length >= SHORTEST_LINE && !line.startsWith("-----"));
  const parts = secret.includes("\n") ? lines : [secret];
  return [...new Set(parts.flatMap(formsOfLine))];
}

function formsOfLine(line: string): readonly string[] {
  const hex = Buffer.from(line).toString("hex");
  return [
    line,
    JSON.stringify(line).slice(1, -1),
    encodeURIComponent(line),
    hex,
    ...[0, 1, 2].flatMap((at) => base64At(line, at)),
  ];
}

/** The digits that are the line's alone, when it is encoded behind so many other bytes (modulo 3). */
function base64At(line: string, before: number): readonly string[] {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(line)]);
  const digits = bytes.toString("base64url").slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  return [digits, digits.replaceAll("-", "+").replaceAll("_", "/")];
}
