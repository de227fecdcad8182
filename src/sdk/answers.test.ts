// The client's types and the server's schemas say the same. A drift of one from the other does not compile.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { z } from "zod";
import type { AnswerOf } from "../http/answers/answer-of.ts";
import type * as commit from "../http/answers/commit.ts";
import type * as comparison from "../http/answers/comparison.ts";
import type * as connection from "../http/answers/connection.ts";
import type * as deleted from "../http/answers/deleted.ts";
import type * as file from "../http/answers/file.ts";
import type * as problem from "../http/answers/problem.ts";
import type * as ref from "../http/answers/ref.ts";
import type * as repository from "../http/answers/repository.ts";
import type * as run from "../http/answers/run.ts";
import type * as sync from "../http/answers/sync.ts";
import type * as token from "../http/answers/token.ts";
import type * as updated from "../http/answers/updated.ts";
import type * as webhook from "../http/answers/webhook.ts";
import type {
  AskedRun,
  Commit,
  Connection,
  CoregitClient,
  ErrorDetails,
  HistoryRun,
  PlannedRun,
  Result,
  SyncRun,
} from "./index.ts";

type Flat<T> = T extends readonly (infer E)[]
  ? readonly Flat<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Flat<T[K]> }
    : T;
type IsSame<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** Takes no argument when the two types are one. */
function same<Sdk, Server extends z.ZodType>(
  ..._drift: IsSame<Flat<Sdk>, Flat<AnswerOf<Server>>> extends true ? [] : ["the client's type is not the server's"]
): true {
  return true;
}

/** What a method of the client gives for an answer. */
type DataOf<Method> = Method extends (...args: never) => Promise<Result<infer Data>> ? Data : never;
type Client = CoregitClient;
type ErrorFields = ErrorDetails & { readonly error: string; readonly code: string };
const COMPARED: Readonly<Record<string, true>> = {
  commitAnswer: same<Commit, typeof commit.commitAnswer>(),
  commitWithTreeAnswer: same<DataOf<Client["commits"]["get"]>, typeof commit.commitWithTreeAnswer>(),
  commitsAnswer: same<DataOf<Client["commits"]["list"]>, typeof commit.commitsAnswer>(),
  newCommitAnswer: same<DataOf<Client["commits"]["create"]>, typeof commit.newCommitAnswer>(),
  comparisonAnswer: same<DataOf<Client["diffs"]["compare"]>, typeof comparison.comparisonAnswer>(),
  diffAnswer: same<DataOf<Client["diffs"]["files"]>, typeof comparison.diffAnswer>(),
  connectionAnswer: same<Connection, typeof connection.connectionAnswer>(),
  newConnectionAnswer: same<DataOf<Client["connections"]["create"]>, typeof connection.newConnectionAnswer>(),
  connectionTestAnswer: same<DataOf<Client["connections"]["test"]>, typeof connection.connectionTestAnswer>(),
  connectionsAnswer: same<DataOf<Client["connections"]["list"]>, typeof connection.connectionsAnswer>(),
  deletedAnswer: same<DataOf<Client["repos"]["delete"]>, typeof deleted.deletedAnswer>(),
  treeAnswer: same<DataOf<Client["files"]["tree"]>, typeof file.treeAnswer>(),
  blobAnswer: same<DataOf<Client["files"]["blobBySha"]>, typeof file.blobAnswer>(),
  fileAnswer: same<DataOf<Client["files"]["blob"]>, typeof file.fileAnswer>(),
  problemAnswer: same<ErrorFields, typeof problem.problemAnswer>(),
  branchAnswer: same<DataOf<Client["branches"]["get"]>, typeof ref.branchAnswer>(),
  branchesAnswer: same<DataOf<Client["branches"]["list"]>, typeof ref.branchesAnswer>(),
  tagAnswer: same<DataOf<Client["tags"]["get"]>, typeof ref.tagAnswer>(),
  tagsAnswer: same<DataOf<Client["tags"]["list"]>, typeof ref.tagsAnswer>(),
  refAnswer: same<DataOf<Client["refs"]["get"]>, typeof ref.refAnswer>(),
  refsAnswer: same<DataOf<Client["refs"]["list"]>, typeof ref.refsAnswer>(),
  movedRefAnswer: same<DataOf<Client["refs"]["update"]>, typeof ref.movedRefAnswer>(),
  repositoryAnswer: same<DataOf<Client["repos"]["get"]>, typeof repository.repositoryAnswer>(),
  repositoriesAnswer: same<DataOf<Client["repos"]["list"]>, typeof repository.repositoriesAnswer>(),
  historyRunAnswer: same<HistoryRun, typeof run.historyRunAnswer>(),
  historyAnswer: same<DataOf<Client["sync"]["history"]>, typeof run.historyAnswer>(),
  runAnswer: same<DataOf<Client["runs"]["get"]>, typeof run.runAnswer>(),
  runsAnswer: same<DataOf<Client["runs"]["list"]>, typeof run.runsAnswer>(),
  newSyncConfigAnswer: same<DataOf<Client["sync"]["createConfig"]>, typeof sync.newSyncConfigAnswer>(),
  syncConfigAnswer: same<DataOf<Client["sync"]["getConfig"]>, typeof sync.syncConfigAnswer>(),
  syncAnswer: same<DataOf<Client["syncs"]["get"]>, typeof sync.syncAnswer>(),
  syncsAnswer: same<DataOf<Client["syncs"]["list"]>, typeof sync.syncsAnswer>(),
  syncedAnswer: same<SyncRun, typeof sync.syncedAnswer>(),
  plannedAnswer: same<PlannedRun, typeof sync.plannedAnswer>(),
  askedRunAnswer: same<AskedRun, typeof sync.askedRunAnswer>(),
  tokenAnswer: same<DataOf<Client["tokens"]["list"]>["tokens"][number], typeof token.tokenAnswer>(),
  tokensAnswer: same<DataOf<Client["tokens"]["list"]>, typeof token.tokensAnswer>(),
  newTokenAnswer: same<DataOf<Client["tokens"]["create"]>, typeof token.newTokenAnswer>(),
  updatedAnswer: same<DataOf<Client["connections"]["update"]>, typeof updated.updatedAnswer>(),
  manualWebhookAnswer: same<DataOf<Client["sync"]["getWebhook"]>, typeof webhook.manualWebhookAnswer>(),
  revokedTokenAnswer: same<DataOf<Client["tokens"]["revoke"]>, typeof token.revokedTokenAnswer>(),
};

/** What providers are answered, not clients. */
const OF_PROVIDERS: readonly string[] = ["acceptedDeliveryAnswer", "ignoredDeliveryAnswer"];

test("every schema of an answer is compared with a type of the client", async () => {
  const folder = join(import.meta.dirname, "../http/answers");
  const files = readdirSync(folder).filter((name) => !name.endsWith(".test.ts") && name !== "fields.ts");
  const modules: object[] = await Promise.all(files.map((name) => import(join(folder, name))));
  const answers = modules.flatMap((module) => Object.keys(module)).filter((name) => name.endsWith("Answer"));
  expect(answers.sort()).toEqual([...Object.keys(COMPARED), ...OF_PROVIDERS].sort());
});
