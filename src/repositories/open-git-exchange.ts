// Both services of git's smart protocol over stored repositories.
import { openReceivePack, type StoredReceivePack } from "./open-receive-pack.ts";
import type { LocalRepositoryStore } from "./open-repository-store.ts";
import { openUploadPack, type StoredUploadPack } from "./open-upload-pack.ts";

export type GitExchange = { readonly uploadPack: StoredUploadPack; readonly receivePack: StoredReceivePack };

export function openGitExchange(store: LocalRepositoryStore): GitExchange {
  return { uploadPack: openUploadPack(store), receivePack: openReceivePack(store) };
}
