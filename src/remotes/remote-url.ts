// From what a declaration says to the one place where the remote is. Refuses here what could be read in two ways later:
// credentials in URLs, control characters, encoded separators, dot segments, other schemes, escapes from the base URL.
import { fileURLToPath } from "node:url";
import { CoregitError } from "../domain/errors.ts";
import type { Provider } from "../domain/sync-spec.ts";
import type { RemoteTarget } from "./remote.ts";

/** `url` has no credential, query, fragment or trailing slash. */
export type RemoteLocation =
  | { readonly kind: "http"; readonly url: URL }
  | { readonly kind: "file"; readonly path: string; readonly url: URL };

const MAX_LENGTH = 2048;
/** Control, format, private and unassigned characters and every kind of space (CVE-2024-50349, CVE-2024-52006). */
const NOT_PRINTABLE = /[\p{C}\p{Z}]/u;
/** Encoded control characters, and encoded separators, which some servers decode and others do not. */
const REFUSED_ESCAPE = /%(?:[01][0-9a-f]|7f|2f|5c)/i;
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

const DEFAULT_BASE: Readonly<Record<Provider, string | null>> = {
  github: "https://github.com",
  gitlab: "https://gitlab.com",
  git: null,
};

function refuse(text: string, reason: string): CoregitError {
  return new CoregitError("InvalidSpec", `The remote ${JSON.stringify(showable(text))} ${reason}.`);
}

/** The text without what may be a credential, short enough for a sentence. */
function showable(text: string): string {
  return text
    .replace(/(\/\/)[^/]*@/, "$1***@")
    .replace(/[?#].*$/s, "")
    .slice(0, 200);
}

function checkText(text: string): void {
  if (text === "") throw refuse(text, "is empty");
  if (text.length > MAX_LENGTH) throw refuse(text, `is longer than ${MAX_LENGTH} characters`);
  if (NOT_PRINTABLE.test(text)) throw refuse(text, "has a space or a character that cannot be printed");
  if (REFUSED_ESCAPE.test(text)) throw refuse(text, "has an encoded slash, backslash or control character");
  if (text.includes("\\")) throw refuse(text, "has a backslash");
  if (/[?#]/.test(text)) throw refuse(text, "has a query or a fragment");
}

function checkPath(text: string, path: string): void {
  const segments = path.split("/");
  if (segments.some((segment) => DOT_SEGMENT.test(segment))) throw refuse(text, 'has a "." or ".." in its path');
  if (segments.includes("")) throw refuse(text, "has an empty part in its path");
}

function isUrl(text: string): boolean {
  return SCHEME.test(text);
}

/** Forms that git takes and this does not, with what to write instead. */
function checkForm(text: string): void {
  if (/^[a-z0-9+.-]+::/i.test(text)) throw refuse(text, "names a git remote helper; only http, https and file URLs are accepted");
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (/^[^/]*:/.test(text)) throw refuse(text, "looks like an ssh address; use the repository's https URL and a token");
    return;
  }
  if (scheme === "ssh" || scheme === "git+ssh") throw refuse(text, "uses ssh; use the repository's https URL and a token");
  if (!["http", "https", "file"].includes(scheme)) throw refuse(text, "does not begin with https://, http:// or file://");
}

/** @throws CoregitError `InvalidSpec`. Accepts a base URL without a path. */
function parseUrl(text: string): URL {
  checkText(text);
  checkForm(text);
  const rest = text.replace(SCHEME, "");
  const [authority = "", ...path] = rest.split("/");
  if (authority.includes("@")) throw refuse(text, "has a user name or password in it; put them into the Connection's Secret");
  if (!isUrl(text) || !URL.canParse(text)) throw refuse(text, "is not a URL");
  const trimmed = path.join("/").replace(/\/$/, "");
  if (trimmed !== "") checkPath(text, trimmed);
  return new URL(text.replace(/\/+$/, ""));
}

/** A path in the base URL, or a URL that lies below it. A credential never leaves its base URL this way. */
function resolveBelow(base: URL, text: string): URL {
  const prefix = base.pathname.replace(/\/$/, "");
  if (isUrl(text)) {
    const url = parseUrl(text);
    if (url.origin === base.origin && url.protocol === base.protocol && url.pathname.startsWith(`${prefix}/`)) return url;
    throw refuse(text, `is not below the connection's base URL ${base.href}`);
  }
  checkText(text);
  checkForm(text);
  const path = text.replace(/^\//, "").replace(/\/$/, "");
  checkPath(text, path);
  const url = new URL(base.href);
  url.pathname = `${prefix}/${path}`;
  return url;
}

/** GitHub's own hosts, whose API has a host of its own: github.com and, with data residency, SUBDOMAIN.ghe.com. */
const GITHUB_HOST = /^(?:api\.)?(github\.com|[^.]+\.ghe\.com)$/;

/** The origin of a server whose API or git is at `url`. */
export function siteOrigin(url: URL): string {
  const site = new URL(url.origin);
  site.hostname = GITHUB_HOST.exec(site.hostname)?.[1] ?? site.hostname;
  return site.origin;
}

/** GitHub's base may be given as its API, `https://host/api/v3` or `https://api.github.com`. */
function gitBase(provider: Provider, baseUrl: string): URL {
  const base = parseUrl(baseUrl);
  if (provider !== "github") return base;
  base.pathname = base.pathname.replace(/\/api\/v3$/, "");
  base.hostname = GITHUB_HOST.exec(base.hostname)?.[1] ?? base.hostname;
  return base;
}

/**
 * The root of a provider's REST API, without a trailing slash; null: a git server has none.
 * @throws CoregitError `InvalidSpec` for a base URL that is none.
 */
export function locateApi(provider: Provider, baseUrl: string | null): URL | null {
  const declaredBase = baseUrl ?? DEFAULT_BASE[provider];
  if (provider === "git" || declaredBase === null) return null;
  const base = gitBase(provider, declaredBase);
  if (base.protocol === "file:") throw refuse(declaredBase, "is not the URL of a server");
  const path = base.pathname.replace(/\/$/, "");
  if (provider === "gitlab") base.pathname = `${path}/api/v4`;
  else if (GITHUB_HOST.test(base.hostname)) base.hostname = `api.${base.hostname}`;
  else base.pathname = `${path}/api/v3`;
  return base;
}

/** @throws CoregitError `InvalidSpec`. */
export function parseBaseUrl(baseUrl: string): URL {
  return parseUrl(baseUrl);
}

const PROJECT: Readonly<Record<"github" | "gitlab", { readonly pattern: RegExp; readonly form: string }>> = {
  github: { pattern: /^[\w.-]+\/[\w.-]+$/, form: "owner/repo" },
  gitlab: { pattern: /^[\w.-]+(?:\/[\w.-]+)+$/, form: "group/project, with any number of subgroups" },
};

/**
 * `owner/repo` or `group/sub/project`, as the provider's API calls a remote that `locateRemote` has found; null: a git server has
 * no such names.
 */
export function projectName(target: Pick<RemoteTarget, "provider" | "baseUrl">, { url }: RemoteLocation): string | null {
  const declaredBase = target.baseUrl ?? DEFAULT_BASE[target.provider];
  if (target.provider === "git" || declaredBase === null) return null;
  const base = gitBase(target.provider, declaredBase).pathname.replace(/\/$/, "");
  return url.pathname.slice(base.length + 1).replace(/\.git$/, "");
}

/** `owner/repo` and `group/sub/project` as the provider's git URL. */
function projectUrl(provider: "github" | "gitlab", base: URL, text: string): URL {
  const url = resolveBelow(base, text);
  const { pattern, form } = PROJECT[provider];
  const project = url.pathname.slice(base.pathname.replace(/\/$/, "").length + 1).replace(/\.git$/, "");
  if (!pattern.test(project)) throw refuse(text, `is not of the form ${form}`);
  url.pathname = `${base.pathname.replace(/\/$/, "")}/${project}.git`;
  return url;
}

function resolveUrl({ provider, baseUrl, remote }: RemoteTarget): URL {
  const declaredBase = baseUrl ?? DEFAULT_BASE[provider];
  if (declaredBase === null) return parseUrl(remote);
  const base = gitBase(provider, declaredBase);
  return provider === "git" ? resolveBelow(base, remote) : projectUrl(provider, base, remote);
}

function pathOf(url: URL, text: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw refuse(text, "has an escape in it that stands for no character");
  }
}

/** @throws CoregitError `InvalidSpec` naming what is wrong with the remote or the base URL. */
export function locateRemote(target: RemoteTarget): RemoteLocation {
  const url = resolveUrl(target);
  if (url.pathname === "/" || url.pathname === "") throw refuse(target.remote, "names a server but no repository on it");
  if (url.protocol !== "file:") return { kind: "http", url };
  if (url.host !== "") throw refuse(target.remote, "names a host; a file URL has three slashes: file:///folder");
  return { kind: "file", path: pathOf(url, target.remote), url };
}
