import { hash } from "node:crypto";

/** Keys are compared and stored by this: as random as they are, they need no slow hash. */
export function sha256(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
