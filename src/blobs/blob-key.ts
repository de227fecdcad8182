// What a key may look like, checked in every store before it reaches SQL or a path.

import { CoregitError } from "../domain/errors.ts";
import type { BlobKey } from "./blob-store.ts";

const MAX_KEY_LENGTH = 512;
const COMPONENT = /^[A-Za-z0-9._-]+$/;
const PREFIX = /^[A-Za-z0-9._/-]*$/;

export function isKey(text: string): boolean {
  return text.length <= MAX_KEY_LENGTH && text.split("/").every(isComponent);
}

/** @throws CoregitError `Internal`: keys are made by this program, so a bad one is a defect. */
export function checkKey(key: BlobKey): void {
  if (!isKey(key)) throw new CoregitError("Internal", `Not a blob key: ${JSON.stringify(key.slice(0, MAX_KEY_LENGTH))}.`);
}

/** The start of a key, which may end within a component. @throws CoregitError `Internal`. */
export function checkPrefix(prefix: string): void {
  const folders = prefix.split("/").slice(0, -1);
  const isGood = prefix.length <= MAX_KEY_LENGTH && PREFIX.test(prefix) && folders.every(isComponent);
  if (!isGood)
    throw new CoregitError("Internal", `Not the start of a blob key: ${JSON.stringify(prefix.slice(0, MAX_KEY_LENGTH))}.`);
}

function isComponent(text: string): boolean {
  return COMPONENT.test(text) && text !== "." && text !== "..";
}
