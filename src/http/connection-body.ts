// A connection in the body of a request. Texts that could not be sent as they are, or could be read in two ways, are refused here;
// whether a credential lets in is for the provider to say. No message repeats a value.
import { z } from "zod";
import { APP_ID, appKeyProblem, type Credential, INSTALLATION_ID } from "../domain/credential.ts";
import { baseUrl } from "../resources/fields.ts";
import { plainText } from "./schemas.ts";

/** GitHub's longest tokens have about 520 characters; nobody promises that they stay so short. */
const MAX_SECRET = 8192;
const MAX_KEY = 16_384;

const printable = z.string().min(1).max(MAX_SECRET);
const token = printable.regex(/^[\x21-\x7e]+$/, "must have printable ASCII characters only");
const numeral = (pattern: RegExp, message: string) => z.union([z.string().regex(pattern, message), z.int().min(1)]);
const noControl = (text: string) => !/\p{Cc}/u.test(text);

const app = z.strictObject({
  id: numeral(APP_ID, "must be the App's id or client id"),
  installation_id: numeral(INSTALLATION_ID, "must be the id of an installation"),
  private_key: z
    .string()
    .min(1)
    .max(MAX_KEY)
    .superRefine((pem, context) => {
      const message = appKeyProblem(pem);
      if (message !== null) context.addIssue({ code: "custom", message });
    })
    .describe("PEM, as GitHub gave it."),
});

/** The fields of a credential, of which one way in is given. */
export const credentialFields = {
  access_token: token.optional(),
  username: printable
    .max(256)
    .refine((name) => noControl(name) && !name.includes(":"), "must have no colon or control characters")
    .optional(),
  password: printable.refine(noControl, "must not hold control characters").optional(),
  app: app.optional().describe("A GitHub App; for provider `github` only."),
};

export const connectionLabel = plainText.min(1).max(256);
export const connectionBaseUrl = baseUrl().describe(
  "A GitHub Enterprise host or its `/api/v3`, the root of a GitLab instance, or what remotes of provider `git` are relative to. `http://` only on hosts of COREGIT_ALLOWED_HOSTS.",
);

type CredentialFields = { readonly [K in keyof typeof credentialFields]?: z.output<(typeof credentialFields)[K]> };

/** Refuses two ways in at once, and half of one. */
export function checkWays(given: CredentialFields, context: z.core.$RefinementCtx): void {
  const ways = [given.access_token, given.username ?? given.password, given.app].filter((way) => way !== undefined);
  const problem = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
  if (ways.length > 1)
    problem("access_token", "must be the only credential: give access_token, or username and password, or app");
  else if (given.username !== undefined && given.password === undefined) problem("password", "is required with username");
  else if (given.password !== undefined && given.username === undefined) problem("username", "is required with password");
}

/** null: there is none. */
export function credentialOf({ access_token, username, password, app: given }: CredentialFields): Credential | null {
  if (access_token !== undefined) return { kind: "token", token: access_token };
  if (username !== undefined && password !== undefined) return { kind: "basic", username, password };
  if (given === undefined) return null;
  return {
    kind: "app",
    appId: String(given.id),
    installationId: String(given.installation_id),
    privateKey: given.private_key,
  };
}
