import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Blobs that the tags of a store need, by the simplest walk that can be: for each tag alone, everything that any
 * descriptor names, and all that is about it. It shares no code with the programs. Returns `sha256:HEX` of each.
 */
export function naivelyNeeded(dataDirectory: string): ReadonlySet<string> {
  const root = join(dataDirectory, "docker/registry/v2");
  const needed = new Set<string>();
  for (const tag of globSync("repositories/**/_manifests/tags/*/current/link", { cwd: root })) {
    const repository = join(root, tag.slice(0, tag.indexOf("/_manifests/")));
    for (const digest of reached(root, repository, readFileSync(join(root, tag), "utf8"))) needed.add(digest);
  }
  return needed;
}

function reached(root: string, repository: string, start: string): ReadonlySet<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (named: string) => {
    if (seen.has(named)) return;
    seen.add(named);
    const digest = canonical(repository, named);
    found.add(digest);
    for (const referrer of referrersOf(root, repository, named)) visit(referrer);
    const isManifest = existsSync(linkPath(repository, "_manifests/revisions", named));
    for (const next of isManifest ? digestsIn(readJson(root, digest)) : []) visit(next);
  };
  visit(start);
  return found;
}

function linkPath(repository: string, kind: string, digest: string): string {
  return join(repository, kind, digest.replace(":", "/"), "link");
}

function canonical(repository: string, digest: string): string {
  const path = linkPath(repository, "_layers", digest);
  return existsSync(path) ? readFileSync(path, "utf8") : digest;
}

function readJson(root: string, digest: string): unknown {
  const hex = digest.slice(digest.indexOf(":") + 1);
  const path = join(root, "blobs/sha256", hex.slice(0, 2), hex, "data");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

/** Digests that stand in descriptors. */
function digestsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "digest" && typeof inner === "string" ? [inner] : digestsIn(inner),
  );
}

function referrersOf(root: string, repository: string, about: string): readonly string[] {
  return globSync("_manifests/revisions/sha256/*/link", { cwd: repository })
    .map((path) => `sha256:${basename(dirname(path))}`)
    .filter((digest) => {
      const document = readJson(root, digest) as { readonly subject?: { readonly digest: string } };
      return document.subject?.digest === about;
    });
}
