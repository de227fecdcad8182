// Shows syncs while they work: a table that is drawn anew in place on a terminal; elsewhere a line for each change, since
// a log cannot be drawn over. Knows text only; whoever owns it feeds it and decides when it ends.
import type { SyncStatus } from "../domain/declaration.ts";
import { readyState } from "../resources/status.ts";
import { renderSyncTable } from "./sync-table.ts";

export type ProgressOutput = { readonly isTTY: boolean; readonly columns: number; write(text: string): void };

export interface Progress {
  /** Shows what syncs are now. Writes nothing when nothing visible changed. */
  show(syncs: readonly SyncStatus[]): void;
  /** The last state as a table that stays. */
  finish(syncs: readonly SyncStatus[]): void;
}

export function createProgress(output: ProgressOutput): Progress {
  return output.isTTY ? new LiveTable(output) : new PlainLines(output);
}

const CLEAR_BELOW = "\u001b[J";

class LiveTable implements Progress {
  readonly #output: ProgressOutput;
  #shown: readonly string[] = [];

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  show(syncs: readonly SyncStatus[]): void {
    const lines = renderSyncTable(syncs).map((line) => line.slice(0, Math.max(20, this.#output.columns - 1)));
    if (lines.join("\n") === this.#shown.join("\n")) return;
    const up = this.#shown.length === 0 ? "" : `\u001b[${this.#shown.length}A\r`;
    this.#output.write(`${up}${CLEAR_BELOW}${lines.join("\n")}\n`);
    this.#shown = lines;
  }

  finish(syncs: readonly SyncStatus[]): void {
    this.show(syncs);
  }
}

class PlainLines implements Progress {
  readonly #output: ProgressOutput;
  readonly #shown = new Map<string, string>();

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  show(syncs: readonly SyncStatus[]): void {
    for (const sync of syncs) {
      const line = renderProgressLine(sync);
      if (this.#shown.get(sync.id) === line) continue;
      this.#shown.set(sync.id, line);
      this.#output.write(`${line}\n`);
    }
  }

  finish(syncs: readonly SyncStatus[]): void {
    this.#output.write(`${renderSyncTable(syncs).join("\n")}\n`);
  }
}

/** `default/app: running`, or what the sync's condition says. */
export function renderProgressLine(sync: SyncStatus): string {
  const { message } = readyState(sync);
  const text = sync.isRunning ? `${sync.spec.direction === "import" ? "importing" : "exporting"} ${sync.spec.remote}` : message;
  return `${sync.namespace}/${sync.name}: ${text.replace(/\p{Cc}/gu, "�")}`;
}
