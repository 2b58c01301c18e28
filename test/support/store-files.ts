import { cp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../../contract/scan-report.ts";
import { probeRegistry } from "../../scripts/probe/probe-registry.ts";
import type { Digest } from "../../scripts/registry/digest.ts";
import { acceptAnyManifest } from "../../scripts/registry/media-types.ts";
import {
  blobDataPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  tagLinkPath,
} from "../../scripts/registry/paths.ts";
import { type ScanOptions, scanRegistry } from "../../scripts/scan/scan-registry.ts";
import { discoverRegistries } from "../../scripts/source/disk/registry.ts";
import { httpRegistry } from "../../scripts/source/http/registry.ts";
import type { Registry } from "./registry.ts";

/** The files of one store by what they mean. */
export function storeFiles(directory: string) {
  return {
    directory,
    tag: (repository: string, tag: string) => tagLinkPath(directory, repository, tag),
    revision: (repository: string, digest: Digest) =>
      join(linkDirectory(revisionsPath(directory, repository), digest), "link"),
    layer: (repository: string, digest: Digest) =>
      join(linkDirectory(layersPath(directory, repository), digest), "link"),
    blob: (digest: Digest) => blobDataPath(directory, digest),
  };
}

export type StoreFiles = ReturnType<typeof storeFiles>;

/** Keeps a store as it is now; the function that is returned brings it back. */
export async function keepStore({ directory }: Registry): Promise<() => Promise<void>> {
  const kept = `${directory}.kept`;
  await cp(directory, kept, { recursive: true, verbatimSymlinks: true });
  return async () => {
    await rm(directory, { recursive: true, force: true });
    await cp(kept, `${directory}.new`, { recursive: true, verbatimSymlinks: true });
    await rename(`${directory}.new`, directory);
  };
}

/** What scan finds, in this process. */
export async function scanStore(directory: string, options?: ScanOptions): Promise<readonly Finding[]> {
  const { sources } = await discoverRegistries(directory);
  const results = await Promise.all(
    sources.map((source) => scanRegistry(source, "authoritative", () => {}, options)),
  );
  return results.flatMap(({ findings }) => findings);
}

/** What probe finds, in this process. */
export async function probeStore(url: string): Promise<readonly Finding[]> {
  const source = httpRegistry({ name: "data", origin: url, account: undefined, concurrency: 8 });
  const options = { concurrency: 8, sentinel: undefined, shard: undefined, onProgress: () => {} };
  return (await probeRegistry(source, options)).findings;
}

/** The registry's own answer to a HEAD: status and length, as it says them. */
export async function headOf(url: string, path: string): Promise<string> {
  const reply = await fetch(`${url}/v2/${path}`, {
    method: "HEAD",
    headers: { accept: acceptAnyManifest, "accept-encoding": "identity" },
  });
  return reply.status === 200 ? `200, ${reply.headers.get("content-length")} bytes` : String(reply.status);
}

/** Findings in a line each, sorted: repository, kind/cause, severity, tags, platform, and what heals it. */
export function inLines(findings: readonly Finding[]): readonly string[] {
  return findings
    .map(({ repository, kind, cause, severity, tags, platform, remedy }) =>
      [`${repository ?? "*"}: ${kind}/${cause}`, severity, ...tags, platform ?? "-", remedy].join(" "),
    )
    .sort();
}
