// What service accounts asked of the API server, from its audit log, and what they may ask, from rules: both as `verb resource`.
import { readFile } from "node:fs/promises";

type AuditEvent = {
  readonly verb: string;
  readonly stage: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly apiGroup?: string; readonly resource: string; readonly subresource?: string };
  readonly requestURI: string;
  readonly annotations?: Readonly<Record<string, string>>;
};

export type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

export type AuditedCalls = {
  /** Each call that was let through, once: `patch coregit.dev/reposyncs/status`. */
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
};

export async function callsOf(auditLog: string, account: string): Promise<AuditedCalls> {
  const lines = (await readFile(auditLog, "utf8")).split("\n").filter(Boolean);
  const events = lines.map((line) => JSON.parse(line) as AuditEvent).filter(({ user }) => user.username === account);
  const isAllowed = ({ annotations }: AuditEvent) => annotations?.["authorization.k8s.io/decision"] === "allow";
  return {
    allowed: distinct(events.filter(isAllowed).map(callOf)),
    refused: distinct(events.filter((event) => !isAllowed(event)).map(callOf)),
  };
}

export function callsAllowedBy(rules: readonly Rule[]): readonly string[] {
  return distinct(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`))),
    ),
  );
}

function callOf({ verb, objectRef, requestURI }: AuditEvent): string {
  if (objectRef === undefined) return `${verb} ${requestURI}`;
  const { apiGroup = "", resource, subresource } = objectRef;
  return `${verb} ${apiGroup}/${resource}${subresource === undefined ? "" : `/${subresource}`}`;
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}
