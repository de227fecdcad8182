// A setting that stops the start.

/** `message` is one sentence that names the variable and holds no value that could be a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly variable: string;

  constructor(variable: string, problem: string) {
    super(`${variable} ${problem}.`);
    this.variable = variable;
  }
}
