// Reads a folder of manifests: every .yaml and .yml file in it and below, without hidden ones. Symlinks to files are
// followed, since that is how mounted configuration looks; symlinks to folders are not, so there are no loops.
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { CoregitError } from "../domain/errors.ts";

/** A file's text, or why there is none. `path` is relative to the folder, with `/`. */
export type ManifestFile = { readonly path: string } & (
  | { readonly text: string; readonly error: null }
  | { readonly text: null; readonly error: string }
);

/** Larger than any manifest a person or a generator writes; what is larger is no manifest. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 10_000;

/** Whether a path, relative or not, names a file that is read. */
export function isManifestPath(path: string): boolean {
  return /\.ya?ml$/i.test(path) && !path.split(/[\\/]/).some((part) => part.startsWith(".") && part !== "." && part !== "..");
}

/**
 * All files in order of path. A file that vanishes while reading is left out.
 * @throws CoregitError `InvalidSpec` when the folder itself, or one below it, cannot be read: its files are then
 *   unknown, not gone.
 */
export async function readManifestFolder(folder: string): Promise<ManifestFile[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    const sentence = `The manifests folder ${folder} cannot be read (${cause.code ?? cause.message}).`;
    throw new CoregitError("InvalidSpec", sentence, { cause });
  });
  const paths = found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(isManifestPath)
    .sort();
  if (paths.length > MAX_FILES) {
    throw new CoregitError("InvalidSpec", `The manifests folder ${folder} holds more than ${MAX_FILES} manifest files.`);
  }
  const files: ManifestFile[] = [];
  for (const path of paths) {
    const file = await readManifestFile(folder, path);
    if (file !== null) files.push(file);
  }
  return files;
}

async function readManifestFile(folder: string, path: string): Promise<ManifestFile | null> {
  try {
    const facts = await stat(join(folder, path));
    if (!facts.isFile()) return null;
    if (facts.size > MAX_FILE_BYTES) return { path, text: null, error: `The file is larger than ${MAX_FILE_BYTES} bytes.` };
    return { path, text: await readFile(join(folder, path), "utf8"), error: null };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    return code === "ENOENT" ? null : { path, text: null, error: `The file cannot be read (${code}).` };
  }
}
