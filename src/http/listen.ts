// Begins to listen, and says in the words of the setting why that cannot be.
import type { FastifyInstance } from "fastify";
import { CoregitError } from "../domain/errors.ts";

export type ListenAt = { readonly host: string; readonly port: number };

/** Answers where. `variable`: the setting that `at` is from. @throws CoregitError `InvalidSpec`. */
export async function listen(app: FastifyInstance, { host, port }: ListenAt, variable: string): Promise<string> {
  return await app.listen({ host, port }).catch((cause: unknown) => {
    throw new CoregitError("InvalidSpec", `Cannot listen on ${host}:${port} (${variable}): ${problemOf(cause)}.`, { cause });
  });
}

function problemOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE") return "the port is taken by another program";
  if (code === "EACCES") return "this user may not use that port";
  return "the address is not one of this machine";
}
