// The settings of a .gitmodules that git's fsck refuses, because a clone with submodules would act on them: names that lead
// out of the folder, URLs and paths that look like options, commands. The file has the format of git's configuration.

/** Why git refuses this file, as the end of a sentence about it; null: it does not. `text` has one character a byte. */
export function checkSubmodules(text: string): string | null {
  const lines = text.replaceAll("\r\n", "\n").replace(/\\\n/g, "").split("\n");
  if (lines.some((line) => line.length > MAX_LINE_BYTES)) return `has a line of more than ${MAX_LINE_BYTES} bytes`;
  let name: string | null = null;
  for (const line of lines) {
    const section = SECTION.exec(line);
    if (section !== null) name = submoduleOf(section);
    const reason = name === null ? null : (checkName(name) ?? checkSetting(line.slice(section?.[0].length)));
    if (reason !== null) return reason;
  }
  return null;
}

/** Longer than any setting that means something; what follows must not have to search megabytes. */
const MAX_LINE_BYTES = 16_384;
const SECTION = /^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/;
const SETTING = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*=(.*)$/;

/** The submodule that a section is about, or null. `[submodule.name]` is the older spelling. */
function submoduleOf([, section = "", quoted]: RegExpExecArray): string | null {
  const [first = "", ...rest] = section.split(".");
  if (first.toLowerCase() !== "submodule") return null;
  return quoted === undefined ? rest.join(".") || null : quoted.replace(/\\(.)/g, "$1");
}

function checkName(name: string): string | null {
  const isRefused = name === "" || name.split(/[/\\]/).includes("..");
  return isRefused ? "names a submodule in a way that git refuses" : null;
}

function checkSetting(line: string): string | null {
  const [, key = "", raw = ""] = SETTING.exec(line) ?? [];
  const value = readValue(raw);
  switch (key.toLowerCase()) {
    case "url":
      return isRefusedUrl(value) ? "gives a submodule a URL that git refuses" : null;
    case "path":
      return value.startsWith("-") ? "gives a submodule a path that git refuses" : null;
    case "update":
      return value.startsWith("!") ? "gives a submodule a command to run, which git refuses" : null;
    default:
      return null;
  }
}

/** The value as git reads it: comments cut off, quotes and escapes resolved. */
function readValue(raw: string): string {
  const [unquoted = ""] = /^(?:"(?:[^"\\]|\\.)*"?|\\.|[^#;"\\])*/.exec(raw) ?? [];
  return unquoted
    .trim()
    .replaceAll(/(?<!\\)"/g, "")
    .replace(/\\(.)/g, (_, character: string) => ({ n: "\n", t: "\t", b: "\b" })[character] ?? character);
}

/** One that git would take for an option, that leads out of its server, or that holds a line break once decoded. */
function isRefusedUrl(url: string): boolean {
  if (url.startsWith("-")) return true;
  if (/^(?:https?|ftps?):\/*(?:$|[?#])/i.test(url) || /^(?:https?|ftps?):\/\/\//i.test(url)) return true;
  if (/^(?:\.\.?\/)+:/.test(url)) return true;
  return /[\n\0]|%0a/i.test(url);
}
