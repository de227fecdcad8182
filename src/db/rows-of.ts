// Arrays of parameters as rows, for statements that are prepared.

/**
 * SQL for `unnest` of these arrays, `$1::text[]` for example, that is planned the same whatever is in them: PostgreSQL keeps a plan
 * only where those for the actual values look no cheaper. Look rows up in a LATERAL subquery with a LIMIT: a plan that is kept
 * from when a table was empty would otherwise read all of it when it no longer is.
 */
export function rowsOf(...arrays: readonly string[]): string {
  return `unnest(${arrays.map((array) => `(SELECT ${array})`).join(", ")})`;
}
