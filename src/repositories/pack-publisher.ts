// Publishes packs that move one ref each. What is asked for while a statement is on its way goes together in the next one:
// a busy process then writes many commits for one wait for the disk, and an idle one does not wait for company. Each is
// still for itself: what was not written with the others, for whatever reason of its own, is tried again alone.
import type { Queryable } from "../db/database.ts";
import { MAX_TOGETHER, type PackPublication, publishPack, publishPacks } from "../db/publish-pack.ts";
import { CoregitError } from "../domain/errors.ts";

/** Statements on their way at once: while one waits for the disk, the server works on the other. */
const LANES = 2;

export class PackPublisher {
  readonly #database: Queryable;
  readonly #lanes: readonly Lane[];

  constructor(database: Queryable) {
    this.#database = database;
    this.#lanes = Array.from({ length: LANES }, () => new Lane(database));
  }

  /** As `publishPack`. */
  async publish(publication: PackPublication): Promise<boolean> {
    const written = await this.#laneOf(publication)?.publish(publication);
    return written?.has(publication) === true || (await publishPack(this.#database, publication));
  }

  /** Always the same for one repository, so that no statement waits for another's lock of it. */
  #laneOf({ repositoryId }: PackPublication): Lane | undefined {
    return this.#lanes[repositoryId.charCodeAt(repositoryId.length - 1) % LANES];
  }
}

type Written = ReadonlySet<PackPublication>;

/** Publications that go together when the statement before them has ended. */
type Group = { readonly publications: PackPublication[]; readonly written: Promise<Written> };

/** One statement after the other. */
class Lane {
  readonly #database: Queryable;
  /** The group that still takes members, and the end of the last one's statement. */
  #open: Group | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** What was written of the publications that went together with this one. */
  publish(publication: PackPublication): Promise<Written> {
    const group = this.#open ?? this.#begin();
    group.publications.push(publication);
    if (group.publications.length === MAX_TOGETHER) this.#open = null;
    return group.written;
  }

  #begin(): Group {
    const publications: PackPublication[] = [];
    const written = this.#last.then(() => {
      if (this.#open === group) this.#open = null;
      return publishPacks(this.#database, publications).catch(passOverRefusal);
    });
    const group = { publications, written };
    this.#open = group;
    this.#last = written.catch(() => undefined);
    return group;
  }
}

/** What the server refuses of one, it refuses of all that go with it; only without an answer nobody may try again. */
function passOverRefusal(error: unknown): Written {
  if (error instanceof CoregitError) throw error;
  return new Set();
}
