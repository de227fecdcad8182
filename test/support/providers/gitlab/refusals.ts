// GitLab's error bodies: `{message}` of the application, `{error}` of its router and of OAuth.
import { Refusal } from "../answer.ts";

export const notFound = (what: string): Refusal => new Refusal(404, { message: `404 ${what} Not Found` });
export const noRoute = (): Refusal => new Refusal(404, { error: "404 Not Found" });
export const unauthorized = (): Refusal => new Refusal(401, { message: "401 Unauthorized" });
export const forbidden = (text: string | null = null): Refusal =>
  new Refusal(403, { message: text === null ? "403 Forbidden" : `403 Forbidden - ${text}` });
export const badRequest = (message: string): Refusal => new Refusal(400, { message });
export const unprocessable = (message: unknown): Refusal => new Refusal(422, { message });

export function insufficientScope(scopes: readonly string[]): Refusal {
  return new Refusal(403, {
    error: "insufficient_scope",
    error_description: "The request requires higher privileges than provided by the access token.",
    scope: scopes.join(" "),
  });
}

export function invalidToken(why: "revoked" | "expired"): Refusal {
  const description =
    why === "revoked"
      ? "Token was revoked. You have to re-authorize from the user."
      : "Token is expired. You can either do re-authorization or token refresh.";
  return new Refusal(401, { error: "invalid_token", error_description: description });
}
