import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ScanReport } from "../../contract/scan-report.ts";
import { type Digest, digestOf } from "../../scripts/registry/digest.ts";
import {
  blobDataPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  tagLinkPath,
} from "../../scripts/registry/paths.ts";
import { regwarden, temporaryDirectory } from "./program.ts";

/** Writes a store by hand, whole or damaged. Methods return the digest of what they wrote. */
export function storeAt(directory: string) {
  const put = async (path: string, content: string | Uint8Array) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };
  const blob = async (content: string | Uint8Array): Promise<Digest> => {
    const digest = digestOf(Buffer.from(content));
    await put(blobDataPath(directory, digest), content);
    return digest;
  };
  const revisionLink = (repository: string, digest: Digest) =>
    join(linkDirectory(revisionsPath(directory, repository), digest), "link");
  const layerLink = (repository: string, digest: Digest) =>
    join(linkDirectory(layersPath(directory, repository), digest), "link");
  return {
    directory,
    put,
    blob,
    revisionLink,
    layerLink,
    layer: async (repository: string, content: string): Promise<Digest> => {
      const digest = await blob(content);
      await put(layerLink(repository, digest), digest);
      return digest;
    },
    manifest: async (repository: string, document: object | string, ...tags: string[]): Promise<Digest> => {
      const digest = await blob(typeof document === "string" ? document : JSON.stringify(document));
      await put(revisionLink(repository, digest), digest);
      for (const tag of tags) await put(tagLinkPath(directory, repository, tag), digest);
      return digest;
    },
  };
}

/** Scans a directory and reads the document that is printed. */
export async function scan(
  directory: string,
  ...flags: string[]
): Promise<{ exitCode: number; report: ScanReport }> {
  const { exitCode, stdout } = await regwarden(["scan", directory, "--json", ...flags]);
  return { exitCode, report: JSON.parse(stdout) };
}

/** An empty data root, and the store of its private registry. */
export async function privateStore() {
  const root = await temporaryDirectory();
  return { root, store: storeAt(join(root, "private")) };
}
