// The words of a push: what is asked of receive-pack, and which failure its refusal is. Compare-and-swap is part of the
// protocol: the ref moves only from the commit that is named as the old one. Nothing here can force.
import { CoregitError, type ErrorCode } from "../../domain/errors.ts";
import { ZERO_OID } from "../../domain/oid.ts";
import { branchRef } from "../../domain/ref-name.ts";
import type { PushRequest } from "../remote.ts";
import type { Capabilities } from "./advertisement.ts";
import type { PushReport } from "./push-report.ts";
import type { Quote } from "./remote-text.ts";
import { encodePacket, FLUSH } from "./wire.ts";

/** @throws CoregitError `RemoteUnsupported`, `RefNameRefused`. */
export function pushCommand({ branch, expected, next }: PushRequest, capabilities: Capabilities, agent: string): Buffer {
  const report = ["report-status-v2", "report-status"].find((name) => capabilities.has(name));
  if (report === undefined) {
    throw new CoregitError(
      "RemoteUnsupported",
      "The remote does not report what became of a push, which git has done since 1.1.",
    );
  }
  const offered = ["side-band-64k", "quiet", "atomic"].filter((name) => capabilities.has(name));
  const asked = [
    report,
    ...offered,
    ...(capabilities.has("object-format") ? ["object-format=sha1"] : []),
    ...(capabilities.has("agent") ? [`agent=${agent}`] : []),
  ];
  const line = `${expected ?? ZERO_OID} ${next} ${branchRef(branch)}\0 ${asked.join(" ")}\n`;
  return Buffer.concat([encodePacket(Buffer.from(line, "utf8")), FLUSH]);
}

/**
 * Where the remote's words lead. The protocol has no codes; these are texts of git, GitHub (GH001, GH006, GH013 and the
 * `workflow` scope) and GitLab. The first that fits counts; none: a rule of the remote's own.
 */
const MEANINGS: readonly (readonly [words: RegExp, code: ErrorCode, advice: string])[] = [
  [
    /scope\b|write access|not allowed to push code to this project/i,
    "AccessDenied",
    "Give the credential the permission that it names.",
  ],
  [
    /protected branch|GH006|branch is currently checked out|denycurrentbranch/i,
    "RemoteBranchProtected",
    "Let this credential push to the branch, or export to another one.",
  ],
  [
    /GH001|exceeds? .*(?:size|limit)|too large|maximum allowed size/i,
    "RemoteTooLarge",
    "Leave the file out, or raise the remote's limit.",
  ],
];

/** The failure that a report without success stands for; null: the ref was moved. */
export function pushFailure(report: PushReport, branch: string, quote: Quote): CoregitError | null {
  if (report.refusal === null && report.unpack === "ok") return null;
  const reason = report.unpack === "ok" ? (report.refusal ?? "") : `unpack ${report.unpack}`;
  const said = report.said.trim();
  const [, code, advice] = MEANINGS.find(([words]) => words.test(`${reason}\n${said}`)) ?? [
    null,
    "RemoteRefused" as const,
    "Change what its rule names, or the rule.",
  ];
  const words = said === "" ? quote(reason) : `${quote(reason)}, ${quote(said)}`;
  return new CoregitError(code, `The remote refuses the push to ${branch}: ${words}. ${advice}`, { details: { branch } });
}

export function remoteMoved(branch: string): CoregitError {
  return new CoregitError("RemoteMoved", `The remote's branch ${branch} has moved since it was read.`, { details: { branch } });
}
