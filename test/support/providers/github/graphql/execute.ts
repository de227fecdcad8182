// Runs a GraphQL operation: selections walk over what resolvers give; what is not there is an error in GitHub's words, and what a
// resolver refuses stands in `errors` beside a null, with status 200.
import type { GraphValue, Operation, Selection } from "./document.ts";

export type GraphArgs = Readonly<Record<string, GraphValue>>;

/** A field that takes arguments or costs something is a function of them. */
export type GraphObject = { readonly [field: string]: GraphNode };
export type GraphNode = GraphValue | GraphObject | ((args: GraphArgs) => GraphNode | Promise<GraphNode>);

/** What a resolver refuses. `type` is GitHub's: NOT_FOUND, FORBIDDEN, STALE_DATA, UNPROCESSABLE, … */
export class GraphRefusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

class UndefinedField extends Error {}

export type GraphAnswer = { readonly data?: unknown; readonly errors?: readonly object[] };

async function project(node: GraphObject, selections: readonly Selection[], typeName: string): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  for (const selection of selections) result[selection.alias] = await projectField(node, selection, typeName);
  return result;
}

async function projectField(node: GraphObject, selection: Selection, typeName: string): Promise<unknown> {
  const { name, args, selections } = selection;
  if (name === "__typename") return typeName;
  if (!Object.hasOwn(node, name)) throw new UndefinedField(`Field '${name}' doesn't exist on type '${typeName}'`);
  const field = node[name];
  const value = typeof field === "function" ? await field(args) : field;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if (selections.length === 0) {
    const hint = `Field must have selections (field '${name}' returns an object but has no selections. Did you mean '${name} { ... }'?)`;
    throw new UndefinedField(hint);
  }
  return project(
    value as GraphObject,
    selections,
    name.replace(/^./, (letter) => letter.toUpperCase()),
  );
}

/** @throws UndefinedField, which spoils the whole document; other refusals stand beside the field. */
async function executeField(
  root: GraphObject,
  selection: Selection,
  rootType: string,
): Promise<{ readonly value: unknown; readonly error: object | null }> {
  try {
    return { value: await projectField(root, selection, rootType), error: null };
  } catch (error) {
    if (!(error instanceof GraphRefusal)) throw error;
    const { type, message } = error;
    return { value: null, error: { type, path: [selection.alias], locations: [{ line: 1, column: 1 }], message } };
  }
}

export async function execute(operation: Operation, root: GraphObject): Promise<GraphAnswer> {
  const data: Record<string, unknown> = {};
  const errors: object[] = [];
  try {
    for (const selection of operation.selections) {
      const { value, error } = await executeField(root, selection, operation.kind === "mutation" ? "Mutation" : "Query");
      data[selection.alias] = value;
      if (error !== null) errors.push(error);
    }
  } catch (error) {
    if (!(error instanceof UndefinedField)) throw error;
    return { errors: [{ path: [operation.kind], message: error.message, extensions: { code: "undefinedField" } }] };
  }
  return errors.length === 0 ? { data } : { data, errors };
}
