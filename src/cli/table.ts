// Aligned tables as kubectl prints them: upper-case heads, three spaces between columns, no borders.

export type Row = Readonly<Record<string, unknown>>;

/** What a cell shows; null or "" shows as `-`. `now`: epoch milliseconds. */
export type TableColumn = {
  readonly head: string;
  readonly isWide?: boolean;
  cell(row: Row, now: number): string | null;
};

const GAP = "   ";

/** The width of each column of `lines`. */
export function widthsOf(lines: readonly (readonly string[])[]): number[] {
  const columns = Math.max(0, ...lines.map((line) => line.length));
  return Array.from({ length: columns }, (_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
}

/** One line, with its line break. */
export function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return `${cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join(GAP)
    .trimEnd()}\n`;
}

export function formatTable(lines: readonly (readonly string[])[]): string {
  const widths = widthsOf(lines);
  return lines.map((line) => formatLine(line, widths)).join("");
}

export function cellsOf(columns: readonly TableColumn[], row: Row, now: number): string[] {
  return columns.map((column) => oneLine(column.cell(row, now) ?? "") || "-");
}

/** The text at a dotted path of a row: `last_run.message`. */
export function text(row: Row, path: string): string | null {
  const value = path
    .split(".")
    .reduce<unknown>((current, key) => (typeof current === "object" && current !== null ? (current as Row)[key] : null), row);
  return value === null || value === undefined ? null : String(value);
}

/** `42s`, `5m`, `3h`, `2d`: the time since, in its largest unit. */
export function age(since: string | null, now: number): string | null {
  if (since === null) return null;
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)}m`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** Control characters of what a remote or a user wrote must not steer the terminal. */
function oneLine(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is replaced.
  return value.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
}
