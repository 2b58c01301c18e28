import { faultOfBlob } from "../graph/defects.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import { unlimitedPace } from "../source/pace.ts";
import type { StoreSource } from "../source/source.ts";

/**
 * The findings, with `recopy` for what must not be built again because another registry of the same data root holds it.
 * Only what is said to be rebuilt is looked for, so a healthy store costs nothing.
 */
export async function preferCopies(
  findings: readonly RawFinding[],
  sources: readonly StoreSource[],
): Promise<readonly RawFinding[]> {
  const preferred: RawFinding[] = [];
  for (const finding of findings) {
    const from = finding.remedy === "rebuild" ? await findCopy(finding, sources) : undefined;
    preferred.push(from === undefined ? finding : recopied(finding, from));
  }
  return preferred;
}

function recopied(finding: RawFinding, from: string): RawFinding {
  return { ...finding, remedy: "recopy", detail: { ...finding.detail, copyIn: from } };
}

/** Name of another registry that holds what the finding's digest stands for, with everything below it. */
async function findCopy(
  { registry, kind, digest: text }: RawFinding,
  sources: readonly StoreSource[],
): Promise<string | undefined> {
  const digest = parseDigest(text ?? "");
  const own = sources.find(({ name }) => name === registry);
  if (!digest || !own) return undefined;
  for (const other of sources) {
    if (other === own) continue;
    const isManifest = kind === "manifest" || kind === "index-child";
    const isThere = isManifest
      ? await holdsManifest(digest, { own, other }, new Set())
      : await holdsBlob(other, digest);
    if (isThere) return other.name;
  }
  return undefined;
}

async function holdsBlob(other: StoreSource, digest: Digest): Promise<boolean> {
  const state = await other.verifiedBlob(digest, unlimitedPace);
  return state.state === "present" && state.isAltered !== true;
}

/** What is there in either store need not be copied, or can be. */
async function holdsManifest(
  digest: Digest,
  stores: { readonly own: StoreSource; readonly other: StoreSource },
  seen: Set<Digest>,
): Promise<boolean> {
  if (seen.has(digest)) return true;
  seen.add(digest);
  const { own, other } = stores;
  const here = await own.manifest("", digest);
  const state = here.state === "parsed" ? here : await other.manifest("", digest);
  if (state.state !== "parsed") return false;
  for (const child of state.manifest.children)
    if (!(await holdsManifest(child.digest, stores, seen))) return false;
  for (const blob of state.manifest.blobs) {
    const isHere = faultOfBlob(await own.blob("", blob.digest), blob) === undefined;
    if (!isHere && faultOfBlob(await other.blob("", blob.digest), blob) !== undefined) return false;
  }
  return true;
}
