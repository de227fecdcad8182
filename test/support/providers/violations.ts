// What must not happen in a test against a double: an answer that breaks the provider's own schema, a defect of the double,
// a client that does what gets clients banned. Disposing of a double with violations left throws, which fails the test.

export type Violation = {
  readonly kind: "schema" | "defect" | "impolite" | "tokenInUrl";
  readonly message: string;
};

export class Violations {
  #found: Violation[] = [];

  add(kind: Violation["kind"], message: string): void {
    this.#found.push({ kind, message });
  }

  /** For tests that expect them: gives them and forgets them. */
  take(): Violation[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** @throws Error that lists them. */
  throwIfAny(): void {
    const found = this.take();
    if (found.length === 0) return;
    throw new Error(`A provider's double was violated:\n${found.map(({ kind, message }) => `${kind}: ${message}`).join("\n")}`);
  }
}
