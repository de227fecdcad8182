// What the architecture tests look at: every source file with its imports, read from the text.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export type SourceFile = {
  /** Relative to the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Module specifiers as written. */
  readonly imports: readonly string[];
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;

function readImports(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

export function listFiles(folder: string, suffix: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes("node_modules"))
    .sort();
}

/** All TypeScript below `src`, tests left out unless asked for. */
export function readSources(options: { readonly tests: boolean }): SourceFile[] {
  return listFiles("src", ".ts")
    .filter((path) => options.tests || !path.endsWith(".test.ts"))
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return { path, text, imports: readImports(text) };
    });
}

/** The project file that a relative import names, or null for a package. */
export function resolveImport(from: string, specifier: string): string | null {
  return specifier.startsWith(".") ? join(dirname(from), specifier) : null;
}

/** `src/git/pack.ts` → `git`; files directly in `src` are their own name. */
export function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}
