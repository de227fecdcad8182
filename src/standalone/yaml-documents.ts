// YAML text as data that remembers its lines. Responsible for syntax only; what a document means is decided elsewhere.
import { type Document, isMap, LineCounter, type Node, parseAllDocuments, type YAMLMap } from "yaml";

export type YamlPath = readonly (string | number)[];

export type YamlDocument = {
  /** Where the document begins. */
  readonly line: number;
  /** Plain data. */
  readonly value: unknown;
  /** The line of what `path` leads to, or of the nearest thing around it. */
  lineOf(path: YamlPath): number;
};

export type YamlProblem = { readonly line: number; readonly message: string };

/** Enough for anchors that a person writes, too few for a document that unpacks into memory. */
const MAX_ALIASES = 100;

/** The documents of a file in order, without empty ones; a broken document is a problem and the others still count. */
export function parseYamlDocuments(text: string): {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly YamlProblem[];
} {
  const lines = new LineCounter();
  const documents: YamlDocument[] = [];
  const problems: YamlProblem[] = [];
  for (const parsed of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })) {
    const [error] = parsed.errors;
    if (error !== undefined) problems.push({ line: lineAt(lines, error.pos[0]), message: sentence(error.message) });
    else if (parsed.contents !== null) add(parsed, { lines, documents, problems });
  }
  return { documents, problems };
}

type Found = { readonly lines: LineCounter; readonly documents: YamlDocument[]; readonly problems: YamlProblem[] };

function add(parsed: Document.Parsed, { lines, documents, problems }: Found): void {
  const line = lineOfNode(parsed.contents, lines) ?? 1;
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES });
    if (value !== null) documents.push({ line, value, lineOf: (path) => nearestLine(parsed, path, lines) ?? line });
  } catch (error) {
    problems.push({ line, message: sentence(error instanceof Error ? error.message : String(error)) });
  }
}

function nearestLine(parsed: Document.Parsed, path: YamlPath, lines: LineCounter): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const line = keyLine(parsed, path.slice(0, length), lines);
    if (line !== null) return line;
  }
  return null;
}

/** The line of a map's key, which is where a person looks, or of a list's item. */
function keyLine(parsed: Document.Parsed, path: YamlPath, lines: LineCounter): number | null {
  const parent = path.length === 1 ? parsed.contents : parsed.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) return lineOfNode((parent as YAMLMap<Node>).items.find(({ key }) => String(key) === last)?.key, lines);
  return lineOfNode(parsed.getIn(path, true), lines);
}

function lineOfNode(node: unknown, lines: LineCounter): number | null {
  const range = (node as Partial<Node> | null | undefined)?.range;
  return range === null || range === undefined ? null : lineAt(lines, range[0]);
}

function lineAt(lines: LineCounter, offset: number): number {
  return Math.max(1, lines.linePos(offset).line);
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
