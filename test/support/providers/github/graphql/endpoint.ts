// `POST /graphql`: one document in, data and errors out, with status 200 for both.
import type { GitHubCall, RouteAnswer } from "../call.ts";
import { apiRefusal } from "../refusals.ts";
import { GraphSyntaxError, type GraphValue, parseDocument } from "./document.ts";
import { execute } from "./execute.ts";
import { mutationRoot } from "./mutations.ts";
import { queryRoot } from "./queries.ts";

/** Without a whole parse, for the price of a request. */
export function isMutation(body: Buffer): boolean {
  return /"query"\s*:\s*"\s*(?:\\n|\s)*mutation\b/.test(body.toString("utf8"));
}

export async function answerGraphql(call: GitHubCall): Promise<RouteAnswer> {
  if (call.token === null)
    throw apiRefusal(401, "This endpoint requires you to be authenticated.", "graphql/guides/forming-calls-with-graphql");
  const text = call.text("query");
  if (text === null)
    return { status: 200, json: { errors: [{ message: "A query attribute must be specified and must be a string." }] } };
  const variables = (call.json.variables ?? {}) as Readonly<Record<string, GraphValue>>;
  try {
    const operation = parseDocument(text, variables);
    const root = operation.kind === "mutation" ? mutationRoot(call) : queryRoot(call);
    return { status: 200, json: await execute(operation, root) };
  } catch (error) {
    if (!(error instanceof GraphSyntaxError)) throw error;
    return { status: 200, json: { errors: [{ message: `Parse error: ${error.message}` }] } };
  }
}
