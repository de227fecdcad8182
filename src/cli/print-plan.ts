// A plan for people. One that has conflicts ends the program as a conflict does.
import { CliError, EXIT } from "./exit.ts";
import type { Output } from "./ports.ts";
import { type Row, text } from "./table.ts";

/** @throws CliError when the plan has conflicts. */
export function printPlan(plan: Row | undefined, output: Output): void {
  if (plan === undefined) throw new CliError(EXIT.failed, "The server's answer has no plan in it.");
  const paths = listOf(plan.paths);
  const total = Number(plan.added ?? 0) + Number(plan.modified ?? 0) + Number(plan.deleted ?? 0);
  output.print(
    `Would add ${text(plan, "added")}, change ${text(plan, "modified")} and delete ${text(plan, "deleted")}.\n${indented(paths)}`,
  );
  if (total > paths.length && paths.length > 0) output.print(`  … and ${total - paths.length} more\n`);
  const conflicts = listOf(plan.conflicts);
  if (conflicts.length === 0) return;
  throw new CliError(EXIT.conflict, `Both sides changed:\n${indented(conflicts).trimEnd()}`);
}

function indented(paths: readonly string[]): string {
  return paths.map((path) => `  ${path}\n`).join("");
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(pathText) : [];
}

function pathText(entry: unknown): string {
  return typeof entry === "object" && entry !== null ? (text(entry as Row, "path") ?? JSON.stringify(entry)) : String(entry);
}
