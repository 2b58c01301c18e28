import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { tagsPath } from "../../../scripts/registry/paths.ts";
import { digest } from "../images/oci-content.ts";
import type { Registry } from "../registry/registry.ts";
import { beginUpload, deleteManifest, upload, uploadBlobs, uploadManifest } from "../registry/upload.ts";
import type { Action } from "./model.ts";

/** Makes a registry do what a history says, by real requests, and what no request does in its store. */
export async function makeHistory(registry: Registry, actions: readonly Action[]): Promise<void> {
  for (const action of actions) await make(registry, action);
}

async function make(registry: Registry, action: Action): Promise<void> {
  const { repository } = action;
  if (action.act === "begin upload")
    return beginUpload(registry, repository, new Uint8Array(action.sizeBytes));
  if (action.act === "delete") return deleteManifest(registry, repository, action.digest);
  if (action.act === "remove tag")
    return rm(join(tagsPath(registry.directory, repository), action.tag), { recursive: true });
  if (action.act === "push blobs")
    return uploadBlobs(registry, action.content, repository, action.mountsFrom ?? undefined);
  const { content, tag, sends, by, mountsFrom } = action;
  if (sends === "manifest") return uploadManifest(registry, content, repository, tag ?? digest(content));
  if (by === "skopeo") return registry.push(content, repository, tag ?? digest(content));
  await upload(registry, content, repository, tag ?? undefined, mountsFrom ?? undefined);
}

/** Takes away everything that a registry holds and has in its memory. */
export async function emptyRegistry(registry: Registry): Promise<void> {
  await registry.stop();
  await rm(registry.directory, { recursive: true, force: true });
  await mkdir(registry.directory);
  await registry.start();
}
