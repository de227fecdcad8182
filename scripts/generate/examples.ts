// The example of each reference page. They are parsed before they are printed, so they are right.
import { parseAllDocuments } from "yaml";
import { describeIssues } from "../../src/resources/issue.ts";
import type { KindName } from "../../src/resources/kinds.ts";
import { parseResource } from "../../src/resources/parse-resource.ts";

const EXAMPLES: Readonly<Record<KindName, string>> = {
  RepoSync: `apiVersion: coregit.dev/v1alpha1
kind: RepoSync
metadata:
  name: website
spec:
  connectionRef:
    name: github
  remote: octocat/website
  direction: import
  branch: main
  interval: 10m
  onDivergence: Merge
  maxDeletions: 20%
  exclude:
    - "drafts/**"
`,
  Connection: `apiVersion: coregit.dev/v1alpha1
kind: Connection
metadata:
  name: github
spec:
  provider: github
  secretRef:
    name: github-token
---
apiVersion: v1
kind: Secret
metadata:
  name: github-token
stringData:
  token: <a token that may read the repositories>
`,
  Repository: `apiVersion: coregit.dev/v1alpha1
kind: Repository
metadata:
  name: website
spec:
  defaultBranch: main
  protectedBranches:
    - main
    - release/*
  description: The public website
  visibility: private
  deletionPolicy: Retain
`,
};

/** @throws Error when the example of `kind` is not a valid resource. */
export function exampleOf(kind: KindName): string {
  const example = EXAMPLES[kind];
  for (const document of parseAllDocuments(example)) {
    const value: unknown = document.toJS();
    if (isSecret(value)) continue;
    const parsed = parseResource(value);
    if (!parsed.ok) throw new Error(`the example of ${kind} is wrong: ${describeIssues(parsed.issues)}`);
  }
  return example;
}

function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "Secret";
}
