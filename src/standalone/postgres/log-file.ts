// Where the server writes its own messages. A file and not a pipe, because the server may outlive this process.

import { type FileHandle, open, rename, stat } from "node:fs/promises";

/** The log starts anew, keeping the last one as `.old`, when it is larger than this at a start. */
const MAX_LOG_BYTES = 5_000_000;

export async function openLogFile(path: string): Promise<FileHandle> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await rename(path, `${path}.old`);
  return await open(path, "a", 0o600);
}
