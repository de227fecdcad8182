// Variables of this process for code that reads the environment by itself, such as the AWS SDK.

/** Sets variables, and removes those with an empty value, until it is disposed of. */
export function changedEnvironment(values: Readonly<Record<string, string>>): Disposable {
  const before = Object.keys(values).map((name) => [name, process.env[name] ?? ""] as const);
  for (const [name, value] of Object.entries(values)) set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) set(name, value);
    },
  };
}

function set(name: string, value: string): void {
  if (value === "") delete process.env[name];
  else process.env[name] = value;
}
