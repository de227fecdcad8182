// What was asked of a git host and what it acknowledged, kept outside of it: the checker's side of the comparison.

/** A commit through the API. Its message is `id`; so are the contents of its files, by which it is known again. */
export type CommitOperation = {
  readonly id: string;
  readonly branch: string;
  /** What the branch had to be; undefined: whatever it is. */
  readonly parent: string | null | undefined;
  /** The blob of each file. */
  readonly files: ReadonlyMap<string, string>;
  /** null: nobody heard what became of it. */
  readonly sha: string | null;
};

export type RefMove = { readonly ref: string; readonly old: string | null; readonly next: string | null };

/** Refs moved by a push, or one deleted by the API. */
export type MoveOperation = {
  readonly id: string;
  /** All moves or none. */
  readonly isAtomic: boolean;
  readonly moves: readonly RefMove[];
  readonly isAcknowledged: boolean;
};

export class OperationLog {
  readonly commits: CommitOperation[] = [];
  readonly moves: MoveOperation[] = [];
  /** Requests that failed, or were not answered in time, although their replica lived. */
  readonly stuck: string[] = [];

  get acknowledged(): number {
    return this.commits.filter(({ sha }) => sha !== null).length + this.moves.filter((move) => move.isAcknowledged).length;
  }

  get cutOff(): number {
    return this.commits.length + this.moves.length - this.acknowledged;
  }
}

/** One process, which may be killed. */
export type Life = { readonly url: string; hasEnded(): boolean };

export type Outcome<T> = { readonly wasCut: false; readonly value: T } | { readonly wasCut: true };

/** What came of a request to a process that may be killed meanwhile. @throws what `work` throws while it lives. */
export async function attempt<T>(life: Life, work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { wasCut: false, value: await work() };
  } catch (error) {
    if (!life.hasEnded()) throw error;
    return { wasCut: true };
  }
}
