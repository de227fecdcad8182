// Repository ⇄ row of a repository.
import type { Queryable } from "../db/database.ts";
import { type RepositoryListing, readRepositoryRow } from "../db/listings.ts";
import { keyOf, keyOfObject } from "../kube/object.ts";
import { conditionsOf, failedState, type ReadyState } from "../resources/conditions.ts";
import type { RepositoryStatus } from "../resources/repository.ts";
import { toRepositoryDeclaration } from "../resources/to-declaration.ts";
import type { Declarations } from "../sync/declarations.ts";
import { REPOSITORY } from "./kinds.ts";
import { conditionContext, ownerOf, parseObject } from "./parsed-object.ts";
import type { Projector } from "./reconcile-resource.ts";
import type { RowIndex } from "./row-index.ts";

export type RepositoryProjectorOptions = {
  readonly database: Queryable;
  readonly declarations: Declarations;
  readonly index: RowIndex;
  readonly publicUrl: string | null;
};

const STORED: ReadyState = { ready: "True", reason: "Stored", message: "The repository can be pushed to and fetched from." };

export function createRepositoryProjector({ database, declarations, index, publicUrl }: RepositoryProjectorOptions): Projector {
  return {
    resource: REPOSITORY,
    async project(object, now) {
      const declaration = toRepositoryDeclaration(parseObject("Repository", REPOSITORY, object), ownerOf(object));
      const { id } = await declarations.declareRepository(declaration);
      index.set(keyOfObject(object), id, ownerOf(object));
      const row = await readRepositoryRow(database, declaration.namespace, declaration.slug);
      const context = conditionContext(object, now);
      const conditions = conditionsOf(STORED, context);
      const status: RepositoryStatus = { observedGeneration: context.generation, conditions, ...facts(row, publicUrl) };
      return { status };
    },
    explain(object, now, { code, message }) {
      const context = conditionContext(object, now);
      return { observedGeneration: context.generation, conditions: conditionsOf(failedState(code, message), context) };
    },
    async withdraw(owner, { namespace, name }) {
      await declarations.withdrawRepository(owner, namespace, name);
      index.delete(keyOf({ namespace, name }));
    },
    // What the missing resource would have wanted for the data is not guessed.
    leftBehind: () => null,
  };
}

function facts(row: RepositoryListing | null, publicUrl: string | null): Partial<RepositoryStatus> {
  if (row === null) return {};
  return {
    sizeBytes: row.sizeBytes,
    ...(row.headSha === null ? {} : { headSha: row.headSha }),
    ...(publicUrl === null ? {} : { gitUrl: `${publicUrl.replace(/\/+$/, "")}/${row.namespace}/${row.slug}.git` }),
  };
}
