import { createHash } from "node:crypto";

/** Keys are compared and stored by this: as random as they are, they need no slow hash. */
export function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
