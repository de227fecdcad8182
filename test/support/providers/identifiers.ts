// Ids that are the same in every run: counters, and what is derived from them.
import { createHash } from "node:crypto";

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** What stands for a secret in recordings: enough to tell two apart, useless to anybody else. */
export function fingerprint(secret: string): string {
  return digest(secret).slice(0, 12);
}

export class Identifiers {
  readonly #seed: string;
  readonly #counters = new Map<string, number>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** The next number of a kind, from `first` on. */
  next(kind: string, first = 1): number {
    const value = this.#counters.get(kind) ?? first;
    this.#counters.set(kind, value + 1);
    return value;
  }

  uuid(kind: string): string {
    const hex = this.text(kind, 32);
    return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
  }

  /** Hexadecimal digits, different with each call. */
  text(kind: string, length: number): string {
    const number = this.next(`text ${kind}`);
    const parts = Array.from({ length: Math.ceil(length / 64) }, (_, part) => digest(`${this.#seed} ${kind} ${number} ${part}`));
    return parts.join("").slice(0, length);
  }
}
