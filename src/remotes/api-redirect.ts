// Redirects of an API: within its origin only, so that the credential stays where it belongs. Providers send them for repositories
// that were renamed: GitHub 301 and, for writes, 307; GitLab 301.
import { CoregitError } from "../domain/errors.ts";
import type { ApiRequest } from "./api-wire.ts";

const MAX_REDIRECTS = 3;

/** Sends `request` and whatever it is redirected to. @throws CoregitError `RedirectRefused`, and what `send` throws. */
export async function followed(request: ApiRequest, send: (request: ApiRequest) => Promise<Response>): Promise<Response> {
  let next = request;
  for (let redirects = 0; ; redirects += 1) {
    const response = await send(next);
    if (response.status < 300 || response.status >= 400 || response.status === 304) return response;
    if (redirects === MAX_REDIRECTS) throw refuse(next, response.status, `more than ${MAX_REDIRECTS} times`);
    next = { ...next, url: target(next, response) };
  }
}

function target(request: ApiRequest, response: Response): URL {
  const { status } = response;
  const isRead = request.method === "GET" || request.method === "HEAD";
  // By 301 and 302 a client may make a read of a write, which nobody wants.
  if (!(status === 307 || status === 308 || (isRead && (status === 301 || status === 302)))) {
    throw refuse(request, status, "a request that is not to be redirected so");
  }
  const location = response.headers.get("location") ?? "";
  if (!URL.canParse(location, request.url.href)) throw refuse(request, status, "to something that is no URL");
  const to = new URL(location, request.url.href);
  if (to.origin === request.url.origin && to.username === "" && to.password === "") return to;
  throw refuse(request, status, "to another origin; use the address that it has now");
}

function refuse({ url }: ApiRequest, status: number, how: string): CoregitError {
  return new CoregitError("RedirectRefused", `${url.host} redirects its API ${how} (HTTP ${status}).`);
}
