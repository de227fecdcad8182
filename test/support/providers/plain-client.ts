// Calls an API without a client library, so that a test sees exactly what the provider answers.

export type PlainAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined: not JSON. */
  readonly json: unknown;
};

export type PlainClient = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<PlainAnswer>;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `token` is sent as a bearer; null: no credential. Redirects are not followed. */
export function plainClient(baseUrl: string, token: string | null): PlainClient {
  const credential: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  return async (method, path, body, headers = {}) => {
    const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      redirect: "manual",
      headers: { "user-agent": "test", "content-type": "application/json", ...credential, ...headers },
      ...content,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
}
