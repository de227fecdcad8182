// JSON values as YAML, for `-o yaml`: block style, every text quoted that is not plainly a word.

/** Words that stand without quotes: no reader takes them for a number, a time, a boolean or null. */
const PLAIN = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z][A-Za-z0-9_./-]*$/i;

export function toYaml(value: unknown): string {
  return `${block(value, "").replace(/^\n/, "")}\n`;
}

/** What stands after a key or a dash: a scalar on the same line, or a block on the next ones. */
function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) return value.length === 0 ? " []" : sequence(value, indent);
  if (typeof value !== "object" || value === null) return ` ${scalar(value)}`;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  if (entries.length === 0) return " {}";
  return entries.map(([key, field]) => `\n${indent}${scalar(key)}:${block(field, `${indent}  `)}`).join("");
}

function sequence(items: readonly unknown[], indent: string): string {
  return items.map((item) => `\n${indent}-${block(item, `${indent}  `).replace(/^\n\s*/, " ")}`).join("");
}

function scalar(value: unknown): string {
  return typeof value === "string" && PLAIN.test(value) ? value : JSON.stringify(value ?? null);
}
