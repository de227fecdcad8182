// How a GitHub App signs in: a JSON web token signed with its key, and for that a token of one installation, good for an hour.
// Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
import { createHash, sign } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Octokit } from "octokit";
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
/** GitHub's servers come to know a new token within this time; until then some refuse it. As long as octokit believes in one. */
const SETTLING_MS = 5_000;
const SETTLING_PAUSE_MS = 1_000;
/** Clocks that differ by less are no reason for a refusal. */
const LEAST_OFFSET_MS = 30_000;

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

/** Times by our clock. */
type InstallationToken = { readonly token: string; readonly mintedAtMs: number; readonly expiresAtMs: number };

/** Tokens of installations, remembered in this process until shortly before they end. Who asks at the same time gets the same one. */
export class InstallationTokens {
  readonly #tokens = new LRUCache<string, InstallationToken>({ max: MAX_TOKENS });
  readonly #underway = new Map<string, Promise<InstallationToken>>();

  /** @throws CoregitError those of `Accounts.inspectCredential`. */
  async get(session: ApiSession, app: AppCredential): Promise<string> {
    const key = keyOf(session, app);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.expiresAtMs - session.now() > LEAST_LIFE_MS) return known.token;
    // Another's request ends with the run that made it; then this one asks for itself.
    const underway = this.#underway.get(key);
    const shared = underway === undefined ? null : await underway.catch(() => null);
    return (shared ?? (await this.#remember(key, mint(session, app)))).token;
  }

  /**
   * A token in place of `refused`: minted anew, unless that has been done meanwhile. One that was minted a moment ago is given again
   * after a pause, as it may not have come round yet at GitHub. @throws CoregitError as `get`.
   */
  async replace(session: ApiSession, app: AppCredential, refused: string): Promise<string> {
    const key = keyOf(session, app);
    const known = this.#tokens.get(key);
    if (known === undefined) return this.get(session, app);
    if (known.token !== refused) return known.token;
    if (session.now() - known.mintedAtMs < SETTLING_MS) {
      await session.pause(SETTLING_PAUSE_MS);
      return known.token;
    }
    this.#tokens.delete(key);
    return this.get(session, app);
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

/**
 * Runs one request as the App itself: a second time, by GitHub's clock, when ours is so far off that this is why it was refused.
 * @throws CoregitError for whatever octokit throws, and `SecretInvalid`.
 */
export async function askAsApp<T>(session: ApiSession, app: AppCredential, ask: (octokit: Octokit) => Promise<T>): Promise<T> {
  const askAt = async (nowMs: number): Promise<T> => {
    const octokit = await openOctokit(session, appToken(app, nowMs));
    return asking(session, () => ask(octokit));
  };
  try {
    return await askAt(session.now());
  } catch (error) {
    const isRefused = error instanceof CoregitError && error.code === "AuthenticationFailed";
    if (!isRefused || Math.abs(session.clockOffsetMs) < LEAST_OFFSET_MS) throw error;
    return askAt(session.now() + session.clockOffsetMs);
  }
}

async function mint(session: ApiSession, app: AppCredential): Promise<InstallationToken> {
  const installation_id = Number(app.installationId);
  const { data } = await askAsApp(session, app, ({ rest }) => rest.apps.createInstallationAccessToken({ installation_id }));
  const expiresAtMs = Date.parse(data.expires_at) - session.clockOffsetMs;
  if (typeof data.token !== "string" || Number.isNaN(expiresAtMs)) throw notTheApi(session.url.host);
  return { token: data.token, mintedAtMs: session.now(), expiresAtMs };
}

function keyOf({ url }: ApiSession, app: AppCredential): string {
  return createHash("sha256")
    .update(JSON.stringify([url.href, app]))
    .digest("base64url");
}
