import { dirname, join } from "node:path";
import { ProgramError } from "../cli/errors.ts";
import { type Digest, parseDigest, shortDigest } from "../registry/digest.ts";
import { type Manifest, references } from "../registry/manifest.ts";
import {
  blobDataPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  storePath,
  tagLinkPath,
} from "../registry/paths.ts";
import type { Listing } from "../source/bounded.ts";
import { readLink } from "../source/disk/link.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import type { LinkFact, Unreadable } from "../source/source.ts";
import type { Endangered, FindNeeded } from "../store-change/undo-plan.ts";

/**
 * Which paths are needed by what was pushed since: everything that a tag or a manifest names whose link was written since,
 * and every blob whose link was. A push writes the links of its manifests also where the registry had all content.
 */
export function findNeededIn(sources: readonly DiskSource[]): FindNeeded {
  return async (endangered) => {
    const needed = new Map<string, string>();
    for (const source of sources)
      for await (const fact of source.repositories()) {
        if (fact.state === "unreadable") throw couldNotCheck(fact);
        await checkRepository({ source, repository: fact.name, endangered, needed });
      }
    return needed;
  };
}

interface Check {
  readonly source: DiskSource;
  readonly repository: string;
  readonly endangered: Endangered;
  /** Filled in. */
  readonly needed: Map<string, string>;
}

async function checkRepository(check: Check): Promise<void> {
  const { source, repository } = check;
  const files = filesOf(source.dataDirectory, repository);
  const withTimes = { withTimes: true };
  const roots = new Map<Digest, string>();
  for await (const { name, digest } of pushedSince(source.tags(repository, withTimes), files.tag, check)) {
    const reason = `${repository}:${name}, pushed since, needs it`;
    need(files.tag(name), reason, check);
    roots.set(digest, reason);
  }
  const revisions = source.revisions(repository, withTimes);
  for await (const { digest } of pushedSince(revisions, files.revision, check))
    if (!roots.has(digest)) roots.set(digest, `${repository}@${shortDigest(digest)}, pushed since, needs it`);
  const layers = source.layerLinks(repository, withTimes);
  for await (const { name, digest } of pushedSince(layers, files.layer, check)) {
    const reason = `${repository} was given a link to ${shortDigest(digest)} since`;
    for (const path of [files.layer(name), files.blob(digest)]) need(path, reason, check);
  }
  await walk(roots, files, check);
}

interface Pushed {
  readonly name: string;
  readonly digest: Digest;
}

/** The links that were written after the run began, and not by it. */
async function* pushedSince(
  links: Listing<LinkFact>,
  pathOf: (name: string) => string,
  { endangered: { since, isOwn } }: Check,
): AsyncGenerator<Pushed> {
  for await (const { name, link } of links) {
    if (link.state === "unreadable") throw couldNotCheck(link);
    if (name === null || link.state !== "linked" || (link.modifiedAt ?? since) <= since) continue;
    if (!(await isOwn(pathOf(name)))) yield { name, digest: link.digest };
  }
}

/** Something that a manifest names. */
interface Named {
  readonly digest: Digest;
  /** Whether it can name something in its turn. */
  readonly mayName: boolean;
}

/** Everything below the roots, each with the reason of the first root that leads to it. */
async function walk(
  roots: ReadonlyMap<Digest, string>,
  files: ReturnType<typeof filesOf>,
  check: Check,
): Promise<void> {
  const seen = new Set<string>();
  for (const [root, reason] of roots) {
    const waiting: Named[] = [{ digest: root, mayName: true }];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { digest, mayName } = next;
      const key = `${digest} ${mayName}`;
      if (seen.has(key)) continue;
      seen.add(key);
      need(files.blob(digest), reason, check);
      for (const path of [files.revision(digest), files.layer(digest)]) {
        need(path, reason, check);
        // A link under another algorithm leads to the canonical digest, under which the content lies.
        const link = readLink(path);
        if (link?.state === "unreadable") throw couldNotCheck(link);
        if (link?.state === "linked") waiting.push({ digest: link.digest, mayName });
      }
      if (mayName) waiting.push(...(await namedBy(digest, check)));
    }
  }
}

function need(path: string, reason: string, { source, endangered: { paths }, needed }: Check): void {
  const top = storePath(source.dataDirectory).length;
  for (let at = path; at.length > top; at = dirname(at))
    if (paths.has(at) && !needed.has(at)) needed.set(at, reason);
}

/** The files by which a repository serves something. Links of digests go by the name that they have, `sha256:HEX`. */
function filesOf(dataDirectory: string, repository: string) {
  const link = (base: string, name: string) => {
    const digest = parseDigest(name);
    return digest ? join(linkDirectory(base, digest), "link") : base;
  };
  return {
    tag: (name: string) => tagLinkPath(dataDirectory, repository, name),
    revision: (name: string) => link(revisionsPath(dataDirectory, repository), name),
    layer: (name: string) => link(layersPath(dataDirectory, repository), name),
    blob: (digest: Digest) => blobDataPath(dataDirectory, digest),
  };
}

/** What a manifest names; nothing for what is none, or is gone. */
async function namedBy(digest: Digest, { source, repository }: Check): Promise<readonly Named[]> {
  const state = await source.manifest(repository, digest);
  if (state.state === "parsed") return namedIn(state.manifest);
  // A code of the system means that it could not be read; anything else, that its content is no manifest.
  if (state.state === "unreadable" && /^E[A-Z]+$/.test(state.reason)) throw couldNotCheck(state);
  return [];
}

function namedIn(manifest: Manifest): readonly Named[] {
  const blobs = new Set(manifest.blobs.map(({ digest }) => digest));
  return references(manifest).map((digest) => ({ digest, mayName: !blobs.has(digest) }));
}

function couldNotCheck({ location, reason }: Unreadable): ProgramError {
  return new ProgramError(
    "E_STORE_UNREADABLE",
    `Cannot check what is needed now: ${location} could not be read (${reason}). Nothing was changed.`,
  );
}
