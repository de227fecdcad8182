// What a repository may be called. A slug stands in URLs (`/v1/repos/:slug/commits`, `/:slug.git`), so words that follow
// it there cannot be slugs themselves.

/** Words that follow a slug in a route: as slugs they would make `/v1/repos/:namespace/:slug` ambiguous. */
export const RESERVED_SLUGS = [
  "blob",
  "branches",
  "commits",
  "compare",
  "diff",
  "raw",
  "refs",
  "sync",
  "syncs",
  "tags",
  "tree",
] as const;

export const SLUG_MAX_LENGTH = 100;

/** Lower-case letters, digits, `-`, `_` and `.`, ends with a letter or digit. */
export const SLUG_FORM = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/u;

/** Well-formed slugs that cannot be used all the same. */
export const SLUG_REFUSED = new RegExp(`^(?:${RESERVED_SLUGS.join("|")})$|\\.git$|\\.\\.`, "u");

/** One sentence on what is wrong with `slug`, or null. */
export function checkSlug(slug: string): string | null {
  if (slug.length > SLUG_MAX_LENGTH) return `A repository's slug has at most ${SLUG_MAX_LENGTH} characters.`;
  if (!SLUG_FORM.test(slug))
    return "A repository's slug consists of lower-case letters, digits, '-', '_' and '.', and starts and ends with a letter or digit.";
  if (SLUG_REFUSED.test(slug)) return "A repository's slug must not end in .git, hold '..', or be a word of the API's routes.";
  return null;
}
