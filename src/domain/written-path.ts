// Which paths a caller may name when it writes files. Stricter than what a tree may hold: also refused is what another
// reader of the path (a shell on Windows, a web server that decodes) would take for a way out of the folder or into .git.
import { checkPath, toGitPath } from "./path-rules.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Why a file cannot be written at this path, as the end of a sentence about it; null: it can. */
export function checkWrittenPath(text: string): string | null {
  if (text === "") return "is empty";
  if (!text.isWellFormed()) return "is not valid Unicode";
  if (CONTROL.test(text)) return "has a control character";
  return checkPath(toGitPath(text)) ?? checkOtherReadings(text);
}

/** The same path as Windows splits it, and as it is after percent-decoding. */
function checkOtherReadings(text: string): string | null {
  const readings = [text, percentDecoded(text)].flatMap((reading) => reading.split(/[/\\]/));
  const reason = readings.filter((name) => name !== "").map((name) => checkPath(toGitPath(name)));
  return reason.find((found) => found !== null) ?? null;
}

function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
