// Statements of a migration after which a program of before it fails: something that it names is gone or means another thing,
// or a row that it writes is refused. Judged by their words; a migration that has them says which program it needs.

const STATEMENTS: readonly (readonly [what: string, pattern: RegExp])[] = [
  [
    "drops a table, column, view, function, type or default",
    /\bDROP\s+(?:TABLE|COLUMN|VIEW|FUNCTION|TYPE|DEFAULT|SCHEMA|SEQUENCE)\b|\bALTER\s+TABLE\b[^;]*\bDROP\s+(?!CONSTRAINT\b|NOT\b|EXPRESSION\b|IDENTITY\b)/i,
  ],
  ["renames", /\bRENAME\b/i],
  ["changes a type", /\bALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+DATA\s+)?TYPE\b/i],
  ["forbids null in a column that is there", /\bSET\s+NOT\s+NULL\b/i],
  [
    "adds a column that must be given",
    /\bADD\s+(?:COLUMN\s+)?(?!CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN)\w+\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i,
  ],
  ["adds a constraint to a table that is there", /\bADD\s+(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY\s+KEY|FOREIGN\s+KEY|EXCLUDE)\b/i],
  ["removes rows", /\b(?:TRUNCATE|DELETE\s+FROM)\b/i],
];

const UNIQUE_INDEX = /\bCREATE\s+UNIQUE\s+INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+\s+)?ON\s+(?:ONLY\s+)?(\w+)/gi;

/** What a migration does that older programs do not survive, in words; empty: it only expands. */
export function contractingStatements(sql: string): string[] {
  const code = sql
    .replace(/--.*$/gm, "")
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/\(\s*\d+(?:\s*,\s*\d+)*\s*\)/g, "");
  const made = new Set([...code.matchAll(/\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)/gi)].map(([, name]) => name));
  const unique = [...code.matchAll(UNIQUE_INDEX)].filter(([, table]) => !made.has(table));
  return [
    ...STATEMENTS.filter(([, pattern]) => pattern.test(code)).map(([what]) => what),
    ...(unique.length > 0 ? ["makes values unique in a table that is there"] : []),
  ];
}
