// How the program ends when it does not end well.

export const EXIT = { done: 0, failed: 1, wrongUse: 2, conflict: 3 } as const;

/** Ends the program with `exitCode` after `message` has been said. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
