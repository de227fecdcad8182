// How a GitHub App signs in: a JSON web token signed with its key, and for that a token of one installation, good for an hour.
// Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
import { createHash, sign } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { AppCredential } from "../../domain/credential.ts";
import { CoregitError } from "../../domain/errors.ts";
import { notTheApi } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { asking, openOctokit } from "./client.ts";

/** Before now, as GitHub advises, against clocks that differ. */
const SKEW_SECONDS = 60;
/** GitHub takes ten minutes at most. */
const LIFETIME_SECONDS = 540;
/** A token is good for this long when it is given out: the default time limit of a run. */
const LEAST_LIFE_MS = 600_000;
const MAX_TOKENS = 1_000;

/** @throws CoregitError `SecretInvalid` for a key that cannot sign. */
export function appToken({ appId, privateKey }: AppCredential, nowMs: number): string {
  const nowSeconds = Math.floor(nowMs / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
  const claims = { iat: nowSeconds - SKEW_SECONDS, exp: nowSeconds + LIFETIME_SECONDS, iss: appId };
  const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  try {
    return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  } catch {
    throw new CoregitError("SecretInvalid", "The private key of the GitHub App cannot be used.");
  }
}

type InstallationToken = { readonly token: string; readonly expiresAtMs: number };

/** Tokens of installations, remembered in this process until shortly before they end. Who asks at the same time gets the same one. */
export class InstallationTokens {
  readonly #tokens = new LRUCache<string, InstallationToken>({ max: MAX_TOKENS });
  readonly #underway = new Map<string, Promise<InstallationToken>>();

  /** @throws CoregitError those of `Accounts.inspectCredential`. */
  async get(session: ApiSession, app: AppCredential): Promise<string> {
    const key = createHash("sha256")
      .update(JSON.stringify([session.url.href, app]))
      .digest("base64url");
    const known = this.#tokens.get(key);
    if (known !== undefined && known.expiresAtMs - session.now() > LEAST_LIFE_MS) return known.token;
    // Another's request ends with the run that made it; then this one asks for itself.
    const underway = this.#underway.get(key);
    const shared = underway === undefined ? null : await underway.catch(() => null);
    return (shared ?? (await this.#remember(key, mint(session, app)))).token;
  }

  #remember(key: string, minting: Promise<InstallationToken>): Promise<InstallationToken> {
    const remembered = minting.then(
      (token) => {
        this.#underway.delete(key);
        this.#tokens.set(key, token);
        return token;
      },
      (error: unknown) => {
        this.#underway.delete(key);
        this.#tokens.delete(key);
        throw error;
      },
    );
    this.#underway.set(key, remembered);
    return remembered;
  }
}

async function mint(session: ApiSession, app: AppCredential): Promise<InstallationToken> {
  const octokit = await openOctokit(session, appToken(app, session.now()));
  const installation_id = Number(app.installationId);
  const { data } = await asking(session, () => octokit.rest.apps.createInstallationAccessToken({ installation_id }));
  const expiresAtMs = Date.parse(data.expires_at);
  if (typeof data.token !== "string" || Number.isNaN(expiresAtMs)) throw notTheApi(session.url.host);
  return { token: data.token, expiresAtMs };
}
