// git's protocol at GitHub: who is let in, and the words in which a push is refused.
import type { Answer, ProviderRequest } from "../answer.ts";
import { Refusal, textAnswer } from "../answer.ts";
import { type RefUpdate, ZERO_OID } from "../bare-repository.ts";
import { answerGit, type GitPath, type PushRefusal, type PushRules } from "../git-access.ts";
import type { InspectionFinding } from "../push-inspection.ts";
import { findToken, type GitHubToken, isAllowed, lacksSso, READ_CONTENTS, WRITE_CONTENTS } from "./credentials.ts";
import { pushText } from "./protection.ts";
import { WORKFLOW_FOLDER } from "./push-protection.ts";
import type { GitHubRepository } from "./repository.ts";
import type { GitHubWorld } from "./world.ts";

const MEGABYTE = 1024 * 1024;

function challenge(): Answer {
  const answer = textAnswer(401, "Authentication is required");
  return { ...answer, headers: { ...answer.headers, "www-authenticate": 'Basic realm="GitHub"' } };
}

function tokenOf(world: GitHubWorld, request: ProviderRequest): GitHubToken | null | "refused" {
  try {
    return findToken(request, world.tokens, world.clock.now());
  } catch (error) {
    if (error instanceof Refusal) return "refused";
    throw error;
  }
}

export async function answerGitHubGit(world: GitHubWorld, request: ProviderRequest, path: GitPath): Promise<Answer> {
  const token = tokenOf(world, request);
  if (token === "refused") return challenge();
  const repository = world.findRepository(path.name);
  if (repository === null) return answerNameless(world, request, path, token);
  const isPush = path.service === "git-receive-pack";
  if (token === null && (isPush || repository.isPrivate)) return challenge();
  if (!isAllowed(token, repository, READ_CONTENTS)) return textAnswer(404, "Repository not found.");
  if (lacksSso(token, repository)) {
    return textAnswer(403, `The '${repository.owner.login}' organization has enabled or enforced SAML SSO.`);
  }
  const refusal = isPush ? refusePush(repository, token) : null;
  return refusal ?? answerGit(request, path, repository.git, rulesFor(world, repository, token));
}

function answerNameless(world: GitHubWorld, request: ProviderRequest, path: GitPath, token: GitHubToken | null): Answer {
  const moved = world.findMoved(path.name);
  if (moved !== null && isAllowed(token, moved, READ_CONTENTS)) return redirect(request, moved, path);
  return token === null ? challenge() : textAnswer(404, "Repository not found.");
}

function refusePush(repository: GitHubRepository, token: GitHubToken | null): Answer | null {
  if (!isAllowed(token, repository, WRITE_CONTENTS)) {
    return textAnswer(403, `Permission to ${repository.fullName}.git denied to ${token?.user.login ?? "nobody"}.`);
  }
  return repository.isArchived ? textAnswer(403, "This repository was archived so it is read-only.") : null;
}

function redirect({ url }: ProviderRequest, repository: GitHubRepository, path: GitPath): Answer {
  const location = `${url.origin}/${repository.fullName}.git/${path.endpoint}${url.search}`;
  return { status: 301, headers: { location }, body: null };
}

function rulesFor(world: GitHubWorld, repository: GitHubRepository, token: GitHubToken | null): PushRules {
  const actor = token?.user ?? repository.owner;
  const mayWorkflows = isAllowed(token, repository, { permission: "workflows", level: "write" });
  const linear = repository.rules.filter(({ requires, bypass }) => requires === "fastForward" && !bypass?.includes(actor.login));
  return {
    inspection: {
      maxBlobBytes: world.sizes.pushedBlobBytes,
      guardedFolder: mayWorkflows ? null : WORKFLOW_FOLDER,
      secret: repository.secret,
      linearRefs: linear.map(({ branch }) => (branch === "*" ? "refs/heads/*" : `refs/heads/${branch}`)),
    },
    async judge(updates) {
      for (const update of updates) {
        const violation = await repository.violation(update, actor);
        if (violation !== null) return pushText(violation);
      }
      return null;
    },
    explain: (finding, updates) => explain(finding, updates, token),
    pushed: (updates) => announce(repository, updates, actor),
  };
}

async function announce(repository: GitHubRepository, updates: readonly RefUpdate[], actor: GitHubToken["user"]): Promise<void> {
  const movements = updates.map(async (update) => {
    const before = update.before ?? ZERO_OID;
    const isRewrite =
      before !== ZERO_OID && update.after !== ZERO_OID && !(await repository.git.isAncestor(before, update.after));
    return { ...update, before, isForced: isRewrite };
  });
  repository.announce(await Promise.all(movements), actor);
}

function explain(finding: InspectionFinding, updates: readonly RefUpdate[], token: GitHubToken | null): PushRefusal {
  const refuse = (reason: string, messages: readonly string[]): PushRefusal => ({
    refusals: updates.map(({ ref }) => ({ ref, reason })),
    messages,
  });
  switch (finding.kind) {
    case "size":
      return refuse("pre-receive hook declined", [
        "error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.",
        `error: File ${finding.path} is larger; this exceeds GitHub's file size limit of ${100 * MEGABYTE} bytes`,
      ]);
    case "folder": {
      const [by, lacking] =
        token?.kind === "installation" ? ["GitHub App", "`workflows` permission"] : ["Personal Access Token", "`workflow` scope"];
      return refuse(`refusing to allow a ${by} to create or update workflow \`${finding.path}\` without ${lacking}`, []);
    }
    case "secret":
      return refuse("push declined due to repository rule violations", [
        `error: GH013: Repository rule violations found for ${updates[0]?.ref ?? ""}.`,
        "",
        "- GITHUB PUSH PROTECTION",
        "  - Push cannot contain secrets",
      ]);
    case "rewrite":
      return pushText({
        rule: { branch: "*", by: "protection", requires: "fastForward" },
        ref: finding.path,
        text: "Cannot force-push to this protected branch",
      });
  }
}
