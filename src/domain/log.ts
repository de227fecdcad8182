// The logger that code takes as a parameter. Fields first, then a sentence, as pino has it.

type LogMethod = {
  (fields: Readonly<Record<string, unknown>>, message: string): void;
  (message: string): void;
};

/** Implementations redact secrets (`redact` in this folder) before a line leaves the process. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger whose lines all carry `fields`. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}
