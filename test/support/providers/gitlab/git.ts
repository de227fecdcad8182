// git's protocol at GitLab: who is let in, and the words in which a push is refused.
import { type Answer, type ProviderRequest, Refusal, textAnswer } from "../answer.ts";
import { type RefUpdate, ZERO_OID } from "../bare-repository.ts";
import { answerGit, type GitPath, type PushRefusal, type PushRules } from "../git-access.ts";
import type { InspectionFinding } from "../push-inspection.ts";
import { canSee, findToken, type GitLabScope, type GitLabToken, ROLE, roleIn } from "./credentials.ts";
import type { GitLabProject } from "./project.ts";
import type { GitLabWorld } from "./world.ts";

const READ: readonly GitLabScope[] = ["api", "read_repository", "write_repository"];
const WRITE: readonly GitLabScope[] = ["api", "write_repository"];

function challenge(): Answer {
  const answer = textAnswer(
    401,
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect.",
  );
  return { ...answer, headers: { ...answer.headers, "www-authenticate": 'Basic realm="GitLab"' } };
}

function tokenOf(world: GitLabWorld, request: ProviderRequest): GitLabToken | null | "refused" {
  try {
    return findToken(request, world.tokens, world.clock.now());
  } catch (error) {
    if (error instanceof Refusal) return "refused";
    throw error;
  }
}

export async function answerGitLabGit(world: GitLabWorld, request: ProviderRequest, path: GitPath): Promise<Answer> {
  const token = tokenOf(world, request);
  if (token === "refused") return challenge();
  const isPush = path.service === "git-receive-pack";
  const project = world.findProject(path.name) ?? world.findMoved(path.name);
  if (token === null && (isPush || project === null || project.isPrivate)) return challenge();
  if (project === null || !canSee(project, token)) return notThere();
  if (project.fullPath.toLowerCase() !== path.name.toLowerCase()) return redirect(request, project, path);
  const refusal = isPush ? refusePush(project, token) : refuseScope(token, READ);
  return refusal ?? answerGit(request, path, project.git, rulesFor(world, project, token));
}

function notThere(): Answer {
  return textAnswer(404, "The project you were looking for could not be found or you don't have permission to view it.");
}

function redirect({ url }: ProviderRequest, project: GitLabProject, path: GitPath): Answer {
  return {
    status: 301,
    headers: { location: `${url.origin}/${project.fullPath}.git/${path.endpoint}${url.search}` },
    body: null,
  };
}

function refuseScope(token: GitLabToken | null, scopes: readonly GitLabScope[]): Answer | null {
  if (token === null || scopes.some((scope) => token.scopes.has(scope))) return null;
  return textAnswer(403, "You are not allowed to access this repository with this token.");
}

function refusePush(project: GitLabProject, token: GitLabToken | null): Answer | null {
  if (roleIn(project, token) < ROLE.developer) return textAnswer(403, "You are not allowed to push code to this project.");
  return project.isArchived ? textAnswer(403, "You can't push code to an archived project.") : refuseScope(token, WRITE);
}

function refuseAll(updates: readonly RefUpdate[], message: string): PushRefusal {
  return { refusals: updates.map(({ ref }) => ({ ref, reason: "pre-receive hook declined" })), messages: [`GitLab: ${message}`] };
}

function rulesFor(world: GitLabWorld, project: GitLabProject, token: GitLabToken | null): PushRules {
  const linear = project.protectedBranches
    .filter(({ allowsForcePush }) => !allowsForcePush)
    .map(({ name }) => `refs/heads/${name}`);
  return {
    inspection: {
      maxBlobBytes: world.budgets.limits.pushedBlobBytes,
      guardedFolder: null,
      secret: null,
      linearRefs: linear,
    },
    async judge(updates) {
      if (project.pushRule !== null) return refuseAll(updates, project.pushRule);
      return judgeProtection(project, roleIn(project, token), updates);
    },
    explain: (finding, updates) => refuseAll(updates, textOf(finding)),
    async pushed(updates) {
      const actor = token?.user ?? project.creator;
      project.announce(
        updates.map((update) => ({ ...update, before: update.before ?? ZERO_OID })),
        actor,
      );
    },
  };
}

function judgeProtection(project: GitLabProject, role: number, updates: readonly RefUpdate[]): PushRefusal | null {
  for (const { ref, after } of updates) {
    const protection = ref.startsWith("refs/heads/") ? project.protectionOf(ref.slice("refs/heads/".length)) : null;
    if (protection === null) continue;
    if (after === ZERO_OID) return refuseAll(updates, "You can only delete protected branches using the web interface.");
    if (role < (protection.push ?? Number.POSITIVE_INFINITY)) {
      return refuseAll(updates, "You are not allowed to push code to protected branches on this project.");
    }
  }
  return null;
}

function textOf({ kind, path }: InspectionFinding): string {
  if (kind === "rewrite") return "You are not allowed to force push code to a protected branch on this project.";
  return `You are attempting to check in one or more files which exceed the limit: ${path}`;
}
