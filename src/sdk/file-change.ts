// One change of a commit. JSON has no bytes, so they travel as base64.

/** `100644` a file, `100755` an executable, `120000` a symbolic link. Left out: as it is. */
export type WritableMode = "100644" | "100755" | "120000";

export type FileChange =
  | {
      readonly path: string;
      /** `put` (the default) makes or overwrites; `create` must not be there. */
      readonly action?: "put" | "create" | undefined;
      /** Bytes are sent as base64. */
      readonly content: string | Uint8Array;
      /** How `content` is written, when it is a text; default `utf-8`. */
      readonly encoding?: "utf-8" | "base64" | undefined;
      readonly mode?: WritableMode | undefined;
    }
  | {
      readonly path: string;
      readonly action: "edit";
      /** One after the other; each `old_string` stands in the file exactly once. */
      readonly edits: readonly { readonly old_string: string; readonly new_string: string }[];
      readonly mode?: WritableMode | undefined;
    }
  | {
      readonly path: string;
      readonly action: "rename";
      readonly new_path: string;
      readonly mode?: WritableMode | undefined;
    }
  | { readonly path: string; readonly action: "delete" };

/** Arguments that one call takes in every runtime. */
const CHUNK = 0x8000;

/** The change as the API takes it. */
export function contentOf(change: FileChange): unknown {
  if (!("content" in change) || typeof change.content === "string") return change;
  return { ...change, content: toBase64(change.content), encoding: "base64" };
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(binary);
}
