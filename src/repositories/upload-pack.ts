// Clones and fetches of stored repositories: native git over a view. What HTTP's port asks for.
import { advertiseRefs, readProtocol, uploadPack } from "../git/upload-pack.ts";
import type { Repository, RepositoryStore } from "./store.ts";

type Exchange = { readonly repository: Repository; readonly protocol: string | null; readonly signal: AbortSignal };

export interface UploadPackServer {
  /** The refs and capabilities, without HTTP's service line. Stopping the iteration ends git. */
  advertise(exchange: Exchange): AsyncGenerator<Uint8Array>;
  /** One stateless exchange. Stopping the iteration ends git. */
  serve(exchange: Exchange, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

export function openUploadPack(store: Pick<RepositoryStore, "view">): UploadPackServer {
  const open = async ({ repository, protocol, signal }: Exchange) => ({
    gitDir: await store.view(repository),
    protocol: readProtocol(protocol),
    signal,
  });
  return {
    async *advertise(exchange) {
      yield* advertiseRefs(await open(exchange));
    },
    async *serve(exchange, body) {
      yield* uploadPack(await open(exchange), body);
    },
  };
}
