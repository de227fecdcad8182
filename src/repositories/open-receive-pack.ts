// Takes pushes to stored repositories: git's wire format around `receivePush`.
import { advertiseForPush } from "../git/receive-pack/advertisement.ts";
import { readPushRequest } from "../git/receive-pack/push-request.ts";
import { encodeReport } from "../git/receive-pack/report.ts";
import { receivePush } from "./receive-push.ts";
import type { Repository, RepositoryStore } from "./store.ts";

export type ReceivePackRequest = {
  readonly repository: Repository;
  /** For the reflog, as in `Publication`. */
  readonly actor: string;
  /** Ends the push; before its refs have moved nothing of it is left. */
  readonly signal: AbortSignal;
};

export interface StoredReceivePack {
  advertise(request: { readonly repository: Repository; readonly protocol: string | null }): AsyncGenerator<Uint8Array>;
  serve(request: ReceivePackRequest, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

export function openReceivePack(store: RepositoryStore): StoredReceivePack {
  return {
    async *advertise({ repository, protocol }) {
      yield* advertiseForPush(await store.reader(repository).readRefs(), protocol);
    },
    async *serve({ repository, actor, signal }, body) {
      const { commands, capabilities, pack } = await readPushRequest(body);
      // git asks so whether it may push, before it sends a large body.
      if (commands.length === 0) return;
      const push = { repository, commands, pack, actor, isAtomic: capabilities.has("atomic") };
      yield encodeReport(await receivePush(store, push, signal), capabilities);
    },
  };
}
