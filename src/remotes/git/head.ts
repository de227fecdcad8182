// Which commit a run will read, found in lines `<oid> <ref>` of either protocol version.
import { CoregitError } from "../../domain/errors.ts";
import { isOid, type Oid, ZERO_OID } from "../../domain/oid.ts";
import { branchOf, checkRefName } from "../../domain/ref-name.ts";
import type { RemoteHead } from "../remote.ts";

export type HeadCollector = {
  /** Takes one line; attributes after the name are those of protocol version 2. */
  add(line: string): void;
  /** What was found; `isEmpty` when no line named a ref. */
  result(): RemoteHead;
};

/** The oid that a ref line begins with; null where version 2 says `unborn`. @throws CoregitError `RemoteProtocol`. */
export function parseOidField(line: string): Oid | null {
  const field = line.slice(0, Math.max(line.indexOf(" "), 0));
  if (field === "unborn") return null;
  if (!isOid(field)) throw new CoregitError("RemoteProtocol", "The remote sent a ref without an object id.");
  return field === ZERO_OID ? null : field;
}

/** The branch that HEAD points to. A target outside refs/heads, or not a ref name, is no branch. */
function branchOfHead(target: string | null): string | null {
  if (target === null || checkRefName(target) !== null) return null;
  return branchOf(target);
}

/**
 * Where a server names no target of HEAD (git before 1.8.5), the branch that git itself would guess: the conventional
 * names first, then the first one at HEAD's commit.
 */
const CONVENTIONAL = ["master", "main"];

/** Collects the head of `branch`, or of HEAD's branch when it is null, in constant memory. */
export function createHeadCollector(branch: string | null, symref: string | null): HeadCollector {
  let target = symref;
  let head: Oid | null = null;
  let guess: string | null = null;
  let refs = 0;
  const found = new Map<string, Oid>();

  const consider = (name: string, oid: Oid): void => {
    if (name === branch || name === branchOfHead(target)) found.set(name, oid);
    const canGuess = branch === null && target === null && oid === head;
    if (canGuess && checkRefName(`refs/heads/${name}`) === null && (guess === null || CONVENTIONAL.includes(name))) guess = name;
  };
  return {
    add(line) {
      const oid = parseOidField(line);
      const [name = "", ...attributes] = line.slice(line.indexOf(" ") + 1).split(" ");
      if (oid !== null) refs += 1;
      if (name === "HEAD") {
        head = oid;
        target = attributes.find((attribute) => attribute.startsWith("symref-target:"))?.slice(14) ?? target;
      }
      const local = branchOf(name);
      if (local !== null && oid !== null) consider(local, oid);
    },
    result() {
      const isEmpty = refs === 0;
      if (branch !== null) return { branch, oid: found.get(branch) ?? null, isEmpty };
      const named = branchOfHead(target) ?? guess;
      return { branch: named, oid: head ?? (named === null ? null : (found.get(named) ?? null)), isEmpty };
    },
  };
}
