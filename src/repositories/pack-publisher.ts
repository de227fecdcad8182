// Publishes packs that move one ref each. What is asked for while a statement is on its way goes together in the next one:
// a busy process then writes many commits for one wait for the disk, and an idle one does not wait for company. Each is
// still for itself: what was not written with the others, for whatever reason of its own, is tried again alone.
import type { Queryable } from "../db/database.ts";
import { MAX_TOGETHER, type PackPublication, publishPack, publishPacks } from "../db/publish-pack.ts";
import { CoregitError } from "../domain/errors.ts";

/** Publications that go together when the statement before them has ended, and those of them that were written. */
type Group = { readonly publications: PackPublication[]; readonly written: Promise<ReadonlySet<PackPublication>> };

export class PackPublisher {
  readonly #database: Queryable;
  /** The group that still takes members, and the end of the last one's statement. */
  #open: Group | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** As `publishPack`. */
  async publish(publication: PackPublication): Promise<boolean> {
    const written = await this.#join(publication).written;
    return written.has(publication) || (await publishPack(this.#database, publication));
  }

  #join(publication: PackPublication): Group {
    const group = this.#open ?? this.#begin();
    group.publications.push(publication);
    if (group.publications.length === MAX_TOGETHER) this.#open = null;
    return group;
  }

  /** One statement after the other: more at once would be smaller, and would find each other's repositories locked. */
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
function passOverRefusal(error: unknown): ReadonlySet<PackPublication> {
  if (error instanceof CoregitError) throw error;
  return new Set();
}
