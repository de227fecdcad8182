// Repositories, branches and the rules that bind them.
import { readCommit } from "../../commit-object.ts";
import type { GitHubCall, GitHubRoute, RouteAnswer } from "../call.ts";
import { isAllowed, type Need, READ, READ_CONTENTS } from "../credentials.ts";
import { commitJson, repositoryUrl } from "../git-models.ts";
import { repositoryJson } from "../models.ts";
import type { BranchRule } from "../protection.ts";
import { apiRefusal } from "../refusals.ts";

async function getRepository(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ);
  const size = (await repository.git.isEmpty()) ? 0 : 1;
  const can = (permission: Need["permission"], level: Need["level"]): boolean =>
    isAllowed(call.token, repository, { permission, level });
  const isAdmin = can("administration", "write");
  const permissions = {
    admin: isAdmin,
    maintain: isAdmin,
    push: can("contents", "write"),
    triage: can("contents", "write"),
    pull: can("contents", "read"),
  };
  const json = repositoryJson(repository, call.links, size);
  return { status: 200, json: call.token === null ? json : { ...json, permissions } };
}

const RULE_TYPE: Readonly<Record<BranchRule["requires"], string>> = {
  pullRequest: "pull_request",
  signatures: "required_signatures",
  statusChecks: "required_status_checks",
  nobody: "update",
  fastForward: "non_fast_forward",
  noCreation: "creation",
};

function rulesOf(
  call: GitHubCall,
  by: BranchRule["by"],
  need: Need,
): { readonly branch: string; readonly rules: readonly BranchRule[] } {
  const repository = call.repository(need);
  const branch = call.parameter("branch");
  return { branch, rules: repository.rules.filter((rule) => rule.by === by && (rule.branch === "*" || rule.branch === branch)) };
}

async function getBranch(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  const { branch, rules } = rulesOf(call, "protection", READ_CONTENTS);
  const oid = await repository.readRef(`refs/heads/${branch}`);
  const commit = oid === null ? null : await readCommit(repository.git, oid);
  if (commit === null) throw apiRefusal(404, "Branch not found", "rest/branches/branches#get-a-branch");
  const url = `${repositoryUrl(call.view(repository))}/branches/${encodeURIComponent(branch)}`;
  const checks = rules.filter(({ requires }) => requires === "statusChecks").length > 0 ? ["ci"] : [];
  const json = {
    name: branch,
    commit: commitJson(commit, call.view(repository)),
    _links: { self: url, html: `${call.links.siteUrl}/${repository.fullName}/tree/${encodeURIComponent(branch)}` },
    protected: rules.length > 0,
    protection: { enabled: rules.length > 0, required_status_checks: { enforcement_level: "off", contexts: checks, checks: [] } },
    protection_url: `${url}/protection`,
  };
  return { status: 200, json };
}

async function getBranchRules(call: GitHubCall): Promise<RouteAnswer> {
  const { rules } = rulesOf(call, "ruleset", READ);
  const source = { ruleset_source_type: "Repository", ruleset_source: call.repository(READ).fullName, ruleset_id: 42 };
  const json = rules.map(({ requires }) => ({ type: RULE_TYPE[requires], ...source, ...parametersOf(requires) }));
  return { status: 200, json };
}

function parametersOf(requires: BranchRule["requires"]): object {
  if (requires === "pullRequest") {
    const parameters = {
      dismiss_stale_reviews_on_push: false,
      require_code_owner_review: false,
      require_last_push_approval: false,
      required_approving_review_count: 1,
      required_review_thread_resolution: false,
    };
    return { parameters };
  }
  if (requires !== "statusChecks") return {};
  return { parameters: { required_status_checks: [{ context: "ci" }], strict_required_status_checks_policy: false } };
}

export const repositoryRoutes: readonly GitHubRoute[] = [
  { method: "GET", template: "/repos/{owner}/{repo}", answer: getRepository },
  { method: "GET", template: "/repos/{owner}/{repo}/branches/{branch}", greedy: "branch", answer: getBranch },
  { method: "GET", template: "/repos/{owner}/{repo}/rules/branches/{branch}", greedy: "branch", answer: getBranchRules },
];
