// Tells when a folder of manifests may have changed. A hint only: whoever is told reads the folder anew.
import { basename, relative, resolve } from "node:path";
import { watch } from "chokidar";
import { isManifestPath } from "./manifest-folder.ts";

export type FolderWatchHandlers = {
  onChange(): void;
  /** The folder cannot be watched any more: too many watches, or it is gone. */
  onLost(error: Error): void;
};

/** Watches `folder` and what is below it by the system's notifications, without polling. Resolves once it does. */
export async function watchFolder(folder: string, { onChange, onLost }: FolderWatchHandlers): Promise<AsyncDisposable> {
  const root = resolve(folder);
  const watcher = watch(root, {
    ignoreInitial: true,
    usePolling: false,
    ignored: (path, facts) => isIgnored(relative(root, path), facts?.isFile() ?? false),
  });
  watcher.on("all", (event, path) => {
    if (event === "unlinkDir" && resolve(path) === root) onLost(new Error("the folder was removed"));
    else onChange();
  });
  watcher.on("error", (error) => onLost(error instanceof Error ? error : new Error(String(error))));
  await new Promise<void>((begun) => {
    watcher.once("ready", begun);
    watcher.once("error", () => begun());
  });
  return {
    [Symbol.asyncDispose]() {
      // chokidar waits for the return of what was removed, for which it would open a closed watcher anew.
      watcher.add = () => watcher;
      return watcher.close();
    },
  };
}

function isIgnored(path: string, isFile: boolean): boolean {
  if (path === "") return false;
  // `..data` is the link that a mounted ConfigMap swaps; other hidden names are an editor's or git's own.
  const name = basename(path);
  if (name.startsWith(".") && !name.startsWith("..")) return true;
  return isFile && !isManifestPath(path);
}
