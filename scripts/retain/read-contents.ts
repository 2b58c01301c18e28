import { join } from "node:path";
import type { Digest } from "../registry/digest.ts";
import { linkDirectory, revisionsPath } from "../registry/paths.ts";
import { subjectOfTag } from "../registry/tag.ts";
import { readLink } from "../source/disk/link.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import type { ManifestState } from "../source/source.ts";
import type { Contents, ContentsOf, Evidence } from "./evidence.ts";
import { isReferrerTag } from "./referrer-tags.ts";
import type { RepositoryTags } from "./tag.ts";

/**
 * What the manifests of a repository lead to, where a decision needs it: there are signatures, or a pull or a use names a
 * digest that no tag has. Elsewhere no manifest is read.
 */
export async function readContents(
  source: DiskSource,
  { name, tags }: RepositoryTags,
  { pulls, inUse }: Evidence,
): Promise<ContentsOf> {
  const own = new Set<string>(tags.map(({ digest }) => digest));
  const used = inUse?.state === "usable" ? [...(inUse.repositories.get(name)?.digests ?? [])] : [];
  const pulled = [...(pulls?.repositories.get(name)?.keys() ?? [])].filter((one) => one.includes(":"));
  const subjects = tags.flatMap((tag) => subjectOfTag(tag.name) ?? []);
  const isNeeded =
    tags.some((tag) => isReferrerTag(tag.name)) || [...used, ...pulled].some((digest) => !own.has(digest));
  if (!isNeeded) return () => undefined;
  const contents = new Map<Digest, Contents>();
  const wanted = new Set([...tags.map(({ digest }) => digest), ...used, ...subjects]);
  for (const digest of wanted) {
    const found = await readBelow(source, name, digest);
    // What is in use may have been pulled from another repository, and a signature may outlive its image.
    const isMissing = own.has(digest) && found.isMissing;
    contents.set(digest, isMissing ? { ...found, fault: `the manifest ${digest} is missing` } : found);
  }
  return (digest) => contents.get(digest);
}

async function readBelow(
  source: DiskSource,
  repository: string,
  root: Digest,
): Promise<Contents & { readonly isMissing: boolean }> {
  const digests = new Set<Digest>();
  const about = new Set<Digest>();
  // A subject is taken next: up to the first manifest without one, all that is taken is what the root is about.
  let isAbout = true;
  const waiting = [root];
  let fault: string | undefined;
  let isMissing = false;
  for (let digest = waiting.pop(); digest; digest = waiting.pop()) {
    if (digests.has(digest)) continue;
    digests.add(digest);
    if (isAbout) about.add(digest);
    const canonical = canonicalOf(source, repository, digest);
    if (canonical !== digest) {
      waiting.push(canonical);
      continue;
    }
    const state = await source.manifest(repository, digest);
    const subject = state.state === "parsed" ? state.manifest.subject : undefined;
    if (state.state === "parsed") {
      // What an artifact is about, the collection keeps with it; so the signatures of that stay as well.
      waiting.push(...state.manifest.children.map((child) => child.digest), ...(subject ? [subject] : []));
    } else if (state.state === "missing") isMissing ||= digest === root;
    else if (isAbout || !isNoManifest(state)) fault ??= faultOf(digest, state);
    isAbout &&= subject !== undefined;
  }
  return { about, digests, fault, isMissing };
}

type Useless = Exclude<ManifestState, { readonly state: "parsed" | "missing" }>;

/** A blob among the children of an index is no manifest, and leads nowhere. */
function isNoManifest(state: Useless): boolean {
  return state.state === "unreadable" && state.isUnparsable === true;
}

function faultOf(digest: Digest, state: Useless): string {
  return "location" in state
    ? `${state.location} ${state.reason}`
    : `the manifest ${digest} is ${state.state}`;
}

function canonicalOf({ dataDirectory }: DiskSource, repository: string, digest: Digest): Digest {
  if (digest.startsWith("sha256:")) return digest;
  const link = readLink(join(linkDirectory(revisionsPath(dataDirectory, repository), digest), "link"));
  return link?.state === "linked" ? link.digest : digest;
}
