// Serves clones and fetches of stored repositories from their views.
import { advertiseRefs, readProtocol, uploadPack } from "../git/upload-pack.ts";
import type { LocalRepositoryStore } from "./open-repository-store.ts";
import type { Repository } from "./store.ts";

export type UploadPackRequest = {
  readonly repository: Repository;
  /** What the client asked for, as it came; anything that is not a version of git's protocol counts as nothing. */
  readonly protocol: string | null;
  /** Ends the process behind the answer. */
  readonly signal: AbortSignal;
};

export interface StoredUploadPack {
  advertise(request: UploadPackRequest): AsyncGenerator<Uint8Array>;
  serve(request: UploadPackRequest, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

export function openUploadPack(store: Pick<LocalRepositoryStore, "leaseView">): StoredUploadPack {
  /** What git offers in version 2 says nothing of the repository; asked once, it spares each clone and fetch a process. */
  let offer: Uint8Array | null = null;
  return {
    async *advertise({ repository, protocol, signal }) {
      const version = readProtocol(protocol);
      if (version === "version=2" && offer !== null) return yield offer;
      using view = await store.leaseView(repository);
      const refs = advertiseRefs({ gitDir: view.directory, protocol: version, signal });
      if (version !== "version=2") return yield* refs;
      offer = Buffer.concat(await Array.fromAsync(refs));
      yield offer;
    },
    async *serve({ repository, protocol, signal }, body) {
      using view = await store.leaseView(repository);
      yield* uploadPack({ gitDir: view.directory, protocol: readProtocol(protocol), signal }, body);
    },
  };
}
