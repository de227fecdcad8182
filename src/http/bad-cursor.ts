import { CoregitError } from "../domain/errors.ts";

/** For a cursor that no answer can have given. */
export function badCursor(): CoregitError {
  return new CoregitError("InvalidRequest", "cursor in the query is not one that an earlier answer gave.", {
    details: { field: "cursor" },
  });
}
