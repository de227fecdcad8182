// GitHub's API for commits: blobs where text will not do, chained trees, one commit, and the branch by compare-and-swap.
import { CoregitError } from "../../domain/errors.ts";
import { EMPTY_TREE, isOid, type Oid } from "../../domain/oid.ts";
import { displayPath } from "../../domain/path-rules.ts";
import type { ApiSession } from "../api-session.ts";
import type { CommitApi, CommitApiOptions, CommitPlan, Judgement, MadeCommit } from "../commit-api.ts";
import { ApiLookup, type FoundRepository, type RepositoryLookup } from "../repository-lookup.ts";
import { commitBytes } from "./commit-bytes.ts";
import { type Conversation, openConversation, type RepositoryFacts, readFacts } from "./conversation.ts";
import { moveBranch } from "./move-branch.ts";
import { sendBlobs } from "./send-blobs.ts";
import { ENTRIES_AT_ONCE, sendTrees } from "./send-trees.ts";
import { entryProblem, isInline, newBlobs, orderEntries } from "./tree-entries.ts";

/** GitHub ends a request after 10 s, and takes some 7 s for a blob of 5 MB. */
const MAX_BLOB_BYTES = 4 * 1024 * 1024;
/** The repository, the commit, the branch. */
const FRAME_CALLS = 3;

export class GitHubCommits implements CommitApi {
  readonly lookup: RepositoryLookup;
  readonly #options: CommitApiOptions;
  /** Of the repository, once it has been asked for. */
  #facts: RepositoryFacts | null = null;
  #calls = 0;

  constructor(options: CommitApiOptions) {
    this.#options = options;
    this.lookup = new ApiLookup({ ...options, find: (session) => this.#find(session) });
  }

  get calls(): number {
    return this.#calls + this.lookup.calls;
  }

  async judge(plan: CommitPlan, enough: number, signal: AbortSignal): Promise<Judgement> {
    const reason = planProblem(plan) ?? (await sizeProblem(plan, signal));
    if (reason !== null) return { kind: "unsuited", reason };
    let calls = FRAME_CALLS + Math.ceil(plan.changes.size / ENTRIES_AT_ONCE);
    for (const oid of newBlobs(plan).keys()) {
      signal.throwIfAborted();
      if (calls >= enough) break;
      if (!(await isInline(plan.blobs, oid))) calls += 1;
    }
    return { kind: "suited", calls, isSigned: this.#signs(plan) };
  }

  async commit(plan: CommitPlan, signal: AbortSignal): Promise<MadeCommit> {
    const { openSession, token, project } = this.#options;
    await using session = openSession(signal);
    try {
      this.#facts ??= await readFacts({ session, token, project, branch: plan.branch });
      const conversation = await openConversation({ session, token, project, plan, facts: this.#facts });
      await this.#sendTree(conversation);
      const made = await this.#createCommit(conversation);
      await moveBranch(conversation, made.oid);
      return made;
    } finally {
      this.#calls += session.calls;
    }
  }

  async #find(session: ApiSession): Promise<FoundRepository | null> {
    const { token, project } = this.#options;
    this.#facts = await readFacts({ session, token, project, branch: "" });
    const { id, fullName } = this.#facts;
    return id === null ? null : { id, path: fullName };
  }

  async #sendTree(conversation: Conversation): Promise<void> {
    const { plan } = conversation;
    const inline = new Set<Oid>();
    const apart = [];
    for (const [oid, path] of newBlobs(plan)) {
      if (await isInline(plan.blobs, oid)) inline.add(oid);
      else apart.push({ oid, path });
    }
    await sendBlobs(conversation, apart);
    await sendTrees(conversation, { entries: orderEntries(plan), inline });
  }

  async #createCommit({ octokit, plan, repository, ask }: Conversation): Promise<MadeCommit> {
    const { tree, message, signature, expected } = plan;
    const { name, email, timestamp } = signature;
    const who = { name, email, date: new Date(timestamp * 1000).toISOString() };
    const people = this.#signs(plan) ? {} : { author: who, committer: who };
    const parents = expected === null ? [] : [expected.commit];
    const { data } = await ask({ kind: "commit", paths: [] }, () =>
      octokit.rest.git.createCommit({ ...repository, message, tree, parents, ...people }),
    );
    const oid: unknown = data?.sha;
    if (typeof oid !== "string" || !isOid(oid)) throw new CoregitError("RemoteProtocol", "GitHub's answer names no commit.");
    return { oid, content: commitBytes(data, message) };
  }

  /** GitHub signs what an App commits in its own name. https://docs.github.com/rest/git/commits, "Signature verification" */
  #signs({ isAuthorDeclared }: CommitPlan): boolean {
    return this.#options.token.startsWith(INSTALLATION_TOKEN) && !isAuthorDeclared;
  }
}

/** https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/ */
const INSTALLATION_TOKEN = "ghs_";

function planProblem(plan: CommitPlan): string | null {
  if (plan.isEmptyRemote) return "makes no branch in an empty repository";
  // Nobody says whether GitHub makes the tree without entries.
  if (plan.tree === EMPTY_TREE) return "makes no tree without files";
  for (const entry of orderEntries(plan)) {
    const reason = entryProblem(entry);
    if (reason !== null) return `${reason} (${displayPath(entry.path)})`;
  }
  return null;
}

async function sizeProblem(plan: CommitPlan, signal: AbortSignal): Promise<string | null> {
  for (const [oid, path] of newBlobs(plan)) {
    signal.throwIfAborted();
    if ((await plan.blobs.size(oid)) > MAX_BLOB_BYTES) return `takes no file of more than 4 MiB (${displayPath(path)})`;
  }
  return null;
}
