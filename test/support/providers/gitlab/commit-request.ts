// The form of `POST /projects/:id/repository/commits`, with what GitLab says of each mistake. Since 18.7 the texts have a prefix of
// their own; before, the router said which fields were missing.

import { Refusal } from "../answer.ts";
import type { JsonBody } from "./call.ts";
import { badRequest } from "./refusals.ts";

export type CommitAction = {
  readonly action: "create" | "update" | "delete" | "move" | "chmod";
  readonly file_path: string;
  readonly previous_path?: string;
  readonly content?: string;
  readonly encoding?: "text" | "base64";
  readonly last_commit_id?: string;
  readonly execute_filemode?: boolean;
};

export type CommitRequest = {
  readonly branch: string;
  readonly message: string;
  readonly actions: readonly CommitAction[];
  readonly startBranch: string | null;
  readonly startSha: string | null;
  readonly isForced: boolean;
  readonly allowsEmpty: boolean;
  readonly withStats: boolean;
  readonly authorName: string | null;
  readonly authorEmail: string | null;
};

const ACTIONS = ["create", "update", "move", "delete", "chmod"];

function actionFault(action: JsonBody, index: number): string | null {
  const at = `actions[${index}]`;
  if (typeof action.action !== "string" || !ACTIONS.includes(action.action)) {
    return `${at}[action] must be one of: ${ACTIONS.join(", ")}`;
  }
  if (typeof action.file_path !== "string") return `${at}[file_path] is required`;
  if (action.action === "update" && typeof action.content !== "string") return `${at}[content] is required for update action`;
  if (action.action === "move" && typeof action.previous_path !== "string")
    return `${at}[previous_path] is required for move action`;
  const encoding = action.encoding ?? "text";
  return encoding === "text" || encoding === "base64" ? null : `${at}[encoding] must be text or base64`;
}

function firstFault(input: JsonBody, actions: readonly JsonBody[]): string | null {
  const missing = ["branch", "commit_message"].find((name) => typeof input[name] !== "string" || input[name] === "");
  if (missing !== undefined) return `${missing} is required`;
  if (actions.length === 0 && input.allow_empty !== true) return "actions is required";
  if (input.start_branch !== undefined && input.start_sha !== undefined) return "start_branch, start_sha are mutually exclusive";
  for (const [index, action] of actions.entries()) {
    const fault = actionFault(action, index);
    if (fault !== null) return fault;
  }
  return null;
}

function refuse(fault: string, isPrefixed: boolean): Refusal {
  if (isPrefixed) return badRequest(`400 Bad request - ${fault}`);
  return new Refusal(400, { error: fault.replace("is required", "is missing") });
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** @throws Refusal 400 */
export function readCommitRequest(
  input: JsonBody,
  options: { readonly maxActions: number; readonly isPrefixed: boolean },
): CommitRequest {
  const actions = Array.isArray(input.actions) ? (input.actions as readonly JsonBody[]) : [];
  if (actions.length > options.maxActions) throw new Refusal(400, { error: "Invalid JSON: limit exceeded" });
  const fault = firstFault(input, actions);
  if (fault !== null) throw refuse(fault, options.isPrefixed);
  return {
    branch: String(input.branch),
    message: String(input.commit_message),
    actions: actions as unknown as readonly CommitAction[],
    startBranch: textOf(input.start_branch),
    startSha: textOf(input.start_sha),
    isForced: input.force === true,
    allowsEmpty: input.allow_empty === true,
    withStats: input.stats !== false,
    authorName: textOf(input.author_name),
    authorEmail: textOf(input.author_email),
  };
}
