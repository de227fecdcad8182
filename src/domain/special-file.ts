// Content that git itself refuses in files with a meaning to it, so that no commit made here is refused by a server or a
// client that checks what it receives (transfer.fsckObjects): what fsck reports as an error.
import { isDotGitattributes, isDotGitmodules } from "./path-rules.ts";
import { checkSubmodules } from "./submodule-config.ts";
import type { FileMode } from "./tree.ts";

const MAX_LINK_BYTES = 4096;
/** ATTR_MAX_LINE_LENGTH. */
const MAX_ATTRIBUTES_LINE_BYTES = 2048;

/** Why a file of this name must not have this content, as the end of a sentence about it; null: it may. */
export function checkFileContent(name: string, mode: FileMode, content: Uint8Array): string | null {
  if (mode === "120000") return checkLinkTarget(content);
  if (isDotGitmodules(name)) return checkSubmodules(Buffer.from(content).toString("latin1"));
  return isDotGitattributes(name) ? checkAttributes(content) : null;
}

function checkLinkTarget(target: Uint8Array): string | null {
  if (target.byteLength === 0) return "is a symbolic link without a target";
  if (target.byteLength > MAX_LINK_BYTES) return `is a symbolic link to more than ${MAX_LINK_BYTES} bytes`;
  return target.includes(0) ? "is a symbolic link whose target has a NUL" : null;
}

function checkAttributes(content: Uint8Array): string | null {
  let start = 0;
  while (start < content.byteLength) {
    const end = content.indexOf(0x0a, start);
    const length = (end < 0 ? content.byteLength : end) - start;
    if (length >= MAX_ATTRIBUTES_LINE_BYTES)
      return `has a line of ${MAX_ATTRIBUTES_LINE_BYTES} bytes or more, which git refuses in it`;
    start += length + 1;
  }
  return null;
}
