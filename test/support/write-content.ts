import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Content } from "./oci-content.ts";
import { storeFiles } from "./store-files.ts";

/** The files that the registry would write for a push, written at once: for tests that need thousands of stores. */
export function writeContent(directory: string, content: Content, repository: string, tag?: string): void {
  const files = storeFiles(directory);
  const { digest } = content.descriptor;
  put(files.blob(digest), content.bytes);
  const isManifest = content.parts.length > 0;
  put(isManifest ? files.revision(repository, digest) : files.layer(repository, digest), digest);
  for (const part of content.parts) writeContent(directory, part, repository);
  if (tag !== undefined) put(files.tag(repository, tag), digest);
}

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
