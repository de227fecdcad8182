// GitHub Apps: the JSON web token that an App signs (RS256), and the installation tokens that it gets for it.
// Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { headerOf, type ProviderRequest } from "../answer.ts";
import type { GitHubUser, Permissions } from "./credentials.ts";
import { apiRefusal } from "./refusals.ts";

export type GitHubInstallation = {
  readonly id: number;
  readonly account: GitHubUser;
  readonly repositories: "all" | ReadonlySet<number>;
  isSuspended: boolean;
};

export type GitHubApp = {
  readonly id: number;
  readonly slug: string;
  readonly privateKeyPem: string;
  readonly permissions: Permissions;
  readonly installations: Map<number, GitHubInstallation>;
};

const LONGEST_SECONDS = 600;
/** How far ahead of GitHub's clock a token's time of issue may be. */
const SKEW_SECONDS = 60;

type Claims = { readonly iat?: unknown; readonly exp?: unknown; readonly iss?: unknown };

function decodePart(part: string | undefined): Record<string, unknown> | null {
  try {
    return JSON.parse(Buffer.from(part ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function isSigned(token: string, key: KeyObject): boolean {
  const [header = "", claims = "", signature = ""] = token.split(".");
  if (decodePart(header)?.alg !== "RS256") return false;
  return verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"));
}

function checkTimes({ iat, exp }: Claims, nowSeconds: number): void {
  if (typeof exp !== "number" || exp <= nowSeconds) {
    const text =
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
    throw apiRefusal(401, text);
  }
  if (exp > nowSeconds + LONGEST_SECONDS + SKEW_SECONDS)
    throw apiRefusal(401, "'Expiration time' claim ('exp') is too far in the future");
  if (typeof iat !== "number" || iat > nowSeconds + SKEW_SECONDS) {
    throw apiRefusal(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
  }
}

/** The App that signed the request. @throws Refusal 401 for anything but a fresh and rightly signed token. */
export function authenticateApp(request: ProviderRequest, apps: ReadonlyMap<number, GitHubApp>, nowMs: number): GitHubApp {
  const token = /^bearer (\S+)$/i.exec(headerOf(request.headers, "authorization") ?? "")?.[1] ?? "";
  const claims = decodePart(token.split(".")[1]) as Claims | null;
  if (claims === null) throw apiRefusal(401, "A JSON web token could not be decoded");
  const app = apps.get(Number(claims.iss));
  if (app === undefined) throw apiRefusal(404, "Integration not found");
  if (!isSigned(token, createPublicKey(app.privateKeyPem))) throw apiRefusal(401, "A JSON web token could not be decoded");
  checkTimes(claims, Math.floor(nowMs / 1000));
  return app;
}
