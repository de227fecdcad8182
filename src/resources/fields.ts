// Field schemas that several kinds share. A field's limits and rules are here and nowhere else.
// biome-ignore-all lint/suspicious/noControlCharactersInRegex: control characters are what fields must not hold.
import { z } from "zod";
import { DURATION_PATTERN, parseDuration } from "../domain/duration.ts";
import { MAX_PROTECTED_BRANCHES } from "../domain/protected-branches.ts";
import { SLUG_FORM, SLUG_MAX_LENGTH, SLUG_REFUSED } from "../domain/slug.ts";
import { celMatches, matching, notMatching, type Rule, withRules } from "./rules.ts";

const HOUR_MS = 3_600_000;
const DURATION_FORM = new RegExp(DURATION_PATTERN, "u");

/** Longest URL that servers in practice accept. */
const URL_MAX_LENGTH = 2048;

const BLANK_OR_CONTROL = /[\x00-\x20\x7f\\]/u;
const CREDENTIALS = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*@/u;
const CONTROL = /[\x00-\x1f\x7f]/u;
/** An empty, `.` or `..` component, so also a leading or a trailing slash. */
const DOT_COMPONENT = /(?:^|\/)\.{0,2}(?:\/|$)/u;
/** What `git check-ref-format --branch` refuses, and names that could be taken for a full ref or an object id. */
const REFUSED_BRANCH =
  /^[-/]|^refs\/|^HEAD$|^@$|^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$|(?:^|\/)\.|\.\.|\/\/|@\{|[\x00-\x20\x7f~^:?*[\\]|[/.]$|\.lock(?:\/|$)/u;

/** The same of a pattern for branch names, which may have stars. */
const REFUSED_BRANCH_PATTERN = new RegExp(REFUSED_BRANCH.source.replace("?*[", "?["), "u");

const noBlanks = notMatching(BLANK_OR_CONTROL, "must not contain spaces, control characters or backslashes");
const noCredentials = notMatching(
  CREDENTIALS,
  "must not contain a user name or password; put them into a Secret and name it in a Connection",
);
const noQuery = notMatching(/[?#]/u, "must not have a query or a fragment");

export const slug = () =>
  withRules(z.string().min(1).max(SLUG_MAX_LENGTH), [
    matching(
      SLUG_FORM,
      "must consist of lower-case letters, digits, '-', '_' and '.', and start and end with a letter or a digit",
    ),
    notMatching(SLUG_REFUSED, "must not end in .git, contain '..', or be a word of the API's routes, such as commits or sync"),
  ]);

/** The name of another object in the same namespace. */
export const objectName = () =>
  withRules(z.string().min(1).max(253), [
    matching(
      /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/u,
      "must be the name of an object: lower-case letters, digits, '-' and '.', starting and ending with a letter or a digit",
    ),
  ]);

export const branch = () =>
  withRules(z.string().min(1).max(244), [
    notMatching(REFUSED_BRANCH, "must be a branch name that git accepts, without refs/heads/ in front"),
  ]);

/** Names and globs of branches. */
export const protectedBranches = () =>
  z
    .array(
      withRules(z.string().min(1).max(244), [
        notMatching(REFUSED_BRANCH_PATTERN, "must be a branch name or a glob such as release/*, without refs/heads/ in front"),
      ]),
    )
    .max(MAX_PROTECTED_BRANCHES);

export const remote = () =>
  withRules(z.string().min(1).max(URL_MAX_LENGTH), [
    noBlanks,
    noCredentials,
    noQuery,
    matching(
      /^(?:(?:https?|file):\/\/.+|[^:]+)$/u,
      "must be a path such as owner/repo, or a URL that starts with https://, http:// or file://",
    ),
    notMatching(/^[/-]|(?:^|\/)\.\.?(?:\/|$)/u, "must not start with '/' or '-', or have '.' or '..' as a component"),
  ]);

export const baseUrl = () =>
  withRules(z.string().min(1).max(URL_MAX_LENGTH), [
    noBlanks,
    noCredentials,
    noQuery,
    matching(/^https?:\/\/[^/].*$/u, "must be a URL that starts with https:// or http://"),
  ]);

export const folder = () =>
  withRules(z.string().max(1024), [
    {
      rule: `self == '' || !${celMatches("self", DOT_COMPONENT)}`,
      message: "must be a folder such as docs/api: no '/' at either end, no empty, '.' or '..' component",
      holds: (self) => self === "" || !DOT_COMPONENT.test(self),
    },
    notMatching(CONTROL, "must not contain control characters"),
  ]);

export const glob = () =>
  withRules(z.string().min(1).max(1024), [
    notMatching(/^\//u, "must be relative: paths do not start with '/'"),
    notMatching(CONTROL, "must not contain control characters"),
  ]);

export const singleLine = (maxLength: number) =>
  withRules(z.string().min(1).max(maxLength), [
    notMatching(/[\x00-\x1f\x7f<>]/u, "must not contain line breaks, control characters, '<' or '>'"),
    matching(/[^ ]/u, "must not be blank"),
  ]);

const durationForm = matching(DURATION_FORM, "must be a duration such as 30s, 5m or 1h30m");

/** At least one second, at most `maxHours`; where `canBeOff`, also 0s. */
export const duration = (maxHours: number, canBeOff: boolean) => {
  const off = canBeOff ? "duration(self) == duration('0s') || " : "";
  const bounds: Rule<string> = {
    rule: `!${celMatches("self", DURATION_FORM)} || ${off}(duration(self) >= duration('1s') && duration(self) <= duration('${maxHours}h'))`,
    message: `must be between 1s and ${maxHours}h${canBeOff ? ", or 0s" : ""}`,
    holds: (self) => {
      const ms = parseDuration(self);
      if (ms === null) return !DURATION_FORM.test(self);
      return (canBeOff && ms === 0) || (ms >= 1000 && ms <= maxHours * HOUR_MS);
    },
  };
  return withRules(z.string().min(1).max(32), [durationForm, bounds]);
};

export const generation = () => z.int().min(-1);

/** RFC 3339, as the API server stores times. */
export const time = () => z.string().max(64).meta({ format: "date-time" });

export const oid = () => z.string().max(40);

export const reference = () => z.strictObject({ name: objectName().describe("Name of the object, in the same namespace.") });
