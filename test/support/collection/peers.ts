import { rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { GcRefusal } from "../../../contract/gc-report.ts";
import type { Digest } from "../../../scripts/registry/digest.ts";
import { revisionsPath, tagsPath, uploadsPath } from "../../../scripts/registry/paths.ts";
import { detachedSignature, signatureTag } from "../images/artifacts.ts";
import {
  type Content,
  digest,
  dockerList,
  encode,
  image,
  imageManifest,
  imageOf,
  index,
  layer,
  leaf,
  signature,
  withParts,
} from "../images/oci-content.ts";
import type { Store } from "../store/store.ts";

/**
 * What other collectors hold themselves to in their tests, written anew as stores of ours: the facts are theirs, the code
 * is not. Sources: distribution, registry/storage/garbagecollect_test.go; Quay, internal/gc/gc_test.go and
 * test/test_gc.py; zot, pkg/storage/gc; restic, cmd/restic/integration tests.
 */
export interface PeerCase {
  readonly peer: "distribution" | "Quay" | "zot" | "restic";
  /** The name that the case has there. */
  readonly name: string;
  /** What it asserts there. */
  readonly asserts: string;
  /** Why ours differs on purpose. */
  readonly differs?: string;
  /** Flags besides those of a run that applies at once. */
  readonly flags?: readonly string[];
  /** Makes the store, whose files are two days old afterwards. */
  readonly arrange: (store: Store) => Promise<Arranged>;
}

export interface Arranged {
  /** Blobs, manifests among them, that go; all others stay. */
  readonly goes: readonly (Content | Digest)[];
  /** Links of manifests that go although their blobs stay. */
  readonly unlinked?: readonly (readonly [repository: string, manifest: Content])[];
  readonly refused?: GcRefusal;
  /** After the files were aged. */
  readonly later?: () => Promise<void>;
}

const one = image("one", "linux/amd64");
const two = image("two", "linux/arm64");
const three = image("three", "linux/s390x");
const list = dockerList([image("one", "linux/amd64", "docker"), image("two", "linux/arm64", "docker")]);

/** Removes a manifest as the request for its digest does. */
async function unlink(store: Store, repository: string, content: Content): Promise<void> {
  await rm(dirname(store.revisionLink(repository, digest(content))), { recursive: true });
}

async function removeTag(store: Store, repository: string, tag: string): Promise<void> {
  await rm(join(tagsPath(store.directory, repository), tag), { recursive: true });
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}

type OwnCase = Omit<PeerCase, "peer">;

const distribution: readonly OwnCase[] = [
  {
    name: "NoDeletionNoEffect",
    asserts: "an untagged list stays without -m",
    differs: "there is no run that keeps what has no tag; the plan alone changes nothing",
    flags: ["plan"],
    arrange: async (store) => {
      await store.push("a", one);
      await store.push("a", list);
      return { goes: [] };
    },
  },
  {
    name: "DeleteManifestIfTagNotFound",
    asserts: "what has no tag goes",
    arrange: async (store) => {
      await store.push("a", one);
      await store.push("a", two, "test");
      return { goes: withParts(one) };
    },
  },
  {
    name: "DeleteManifestIndexWithDanglingReferences",
    asserts:
      "of a tagged list whose child was deleted the child's blobs go, the manifests stay, without an abort",
    differs:
      "a missing link can be written again by repair as long as the blobs are there, so that they stay",
    arrange: async (store) => {
      await store.push("a", list, "test");
      const [child = list] = list.parts;
      await unlink(store, "a", child);
      return { goes: [] };
    },
  },
  {
    name: "DeleteManifestIndexIfTagNotFound (tagged)",
    asserts: "a tagged list stays",
    arrange: async (store) => {
      await store.push("a", list, "test");
      return { goes: [] };
    },
  },
  {
    name: "DeleteManifestIndexIfTagNotFound (untagged)",
    asserts: "an untagged list goes",
    arrange: async (store) => {
      await store.push("a", list, "test");
      await store.push("a", three, "kept");
      await removeTag(store, "a", "test");
      return { goes: withParts(list) };
    },
  },
  {
    name: "GCWithUnusedLayerLinkPath",
    asserts: "layer links of an untagged image go",
    arrange: async (store) => {
      await store.push("a", one);
      await store.push("b", one, "kept");
      return { goes: [], unlinked: [["a", one]] };
    },
  },
  {
    name: "GCWithUnknownRepository",
    asserts: "a repository without the directory of its tags is no error",
    arrange: async (store) => {
      await store.push("a", one);
      await store.push("b", two, "kept");
      await rm(tagsPath(store.directory, "a"), { recursive: true, force: true });
      return { goes: withParts(one) };
    },
  },
  {
    name: "GCWithMissingManifests",
    asserts: "without _manifests the blobs go, without an error",
    arrange: async (store) => {
      await store.push("a", one, "test");
      await rm(dirname(revisionsPath(store.directory, "a")), { recursive: true });
      return { goes: withParts(one) };
    },
  },
  {
    name: "DeletionHasEffect",
    asserts: "the layers of deleted images go, those of the third stay",
    differs: "the third needs a tag to stay",
    arrange: async (store) => {
      await store.push("a", one, "kept");
      for (const content of [two, three]) {
        await store.push("a", content);
        await unlink(store, "a", content);
      }
      return { goes: [...withParts(two), ...withParts(three)] };
    },
  },
  {
    name: "DeletionWithSharedLayer",
    asserts: "a layer that another image has stays",
    arrange: async (store) => {
      const shared = layer("shared");
      const kept = imageOf("linux/amd64", [shared, layer("own")]);
      const gone = imageOf("linux/arm64", [shared, layer("other")]);
      await store.push("a", kept, "kept");
      await store.push("a", gone);
      await unlink(store, "a", gone);
      return { goes: withParts(gone).filter((part) => digest(part) !== digest(shared)) };
    },
  },
  {
    name: "OrphanBlobDeleted",
    asserts: "a blob that no manifest names goes",
    arrange: async (store) => {
      await store.push("a", one, "kept");
      return { goes: [await store.layer("a", "orphan"), await store.blob("without a link")] };
    },
  },
  {
    name: "TaggedManifestlistWithUntaggedManifest",
    asserts: "the children of a tagged list stay (2.8.3 loses them)",
    arrange: async (store) => {
      await store.push("foo/taggedlist/untaggedmanifest", list, "test");
      return { goes: [] };
    },
  },
  {
    name: "UnTaggedManifestlistWithUntaggedManifest",
    asserts: "the store is empty",
    arrange: async (store) => {
      await store.push("foo/untaggedlist/untaggedmanifest", list);
      return { goes: withParts(list) };
    },
  },
  {
    name: "UnTaggedManifestlistWithTaggedManifest",
    asserts: "the list goes, its tagged children stay",
    arrange: async (store) => {
      await store.push("a", list);
      for (const [at, child] of list.parts.entries()) await store.push("a", child, `image${at}`);
      return { goes: [list] };
    },
  },
  {
    name: "TaggedManifestlistWithDeletedReference",
    asserts: "of a list without a tag (despite the name) whose children were deleted nothing stays",
    arrange: async (store) => {
      await store.push("a", list);
      for (const child of list.parts) await unlink(store, "a", child);
      return { goes: withParts(list) };
    },
  },
];

const quay: readonly OwnCase[] = [
  {
    name: "ChildSharedByTwoParents",
    asserts: "a child stays as long as one of its parents",
    arrange: async (store) => {
      const [kept, gone] = [index([one, two]), index([one, three])];
      await store.push("a", kept, "kept");
      await store.push("a", gone);
      return { goes: [gone, ...withParts(three)] };
    },
  },
  {
    name: "DeepCascade_ThreeLevels",
    asserts: "all three levels go in one run",
    differs: "none: Quay needs a run a level, ours one",
    arrange: async (store) => {
      const deep = index([index([one]), index([two])]);
      await store.push("a", deep);
      return { goes: withParts(deep) };
    },
  },
  {
    name: "CrossRepoManifestChildProtection",
    asserts: "a child that another repository's index names stays",
    differs:
      "2.8.3 serves a child only to the repository that links it; its blobs stay because the index names them, the other repository's link goes",
    arrange: async (store) => {
      const parent = index([one]);
      await store.manifest("parent", parent.bytes, "latest");
      await store.push("child", one);
      return { goes: [], unlinked: [["child", one]] };
    },
  },
  {
    name: "CrossRepoSubjectReferrerProtection",
    asserts: "the subject of a referrer in another repository stays",
    differs:
      "a referrer is one of its own repository; the blob stays because the referrer names it, the link goes",
    arrange: async (store) => {
      const about = signature(one);
      await store.push("subjects", one);
      await store.push("signatures", about, "kept");
      return { goes: one.parts, unlinked: [["subjects", one]] };
    },
  },
  {
    name: "ManifestProtectedAsReferrerTarget",
    asserts: "the subject of a referrer that is kept stays",
    arrange: async (store) => {
      await store.push("a", one);
      await store.push("a", signature(one), "signed");
      return { goes: [] };
    },
  },
  {
    name: "RecentUploadSurvives",
    asserts: "what was uploaded a moment ago stays",
    arrange: async (store) => {
      await store.push("a", one, "kept");
      const fresh = await store.layer("a", "fresh");
      const old = await store.layer("a", "old");
      return { goes: [old], later: () => touch(store.layerLink("a", fresh)) };
    },
  },
  {
    name: "StaleUploadMissingStartedAtFallsBackToMtime",
    asserts: "an old upload without a start goes",
    differs: "a collection leaves unfinished uploads alone: the registry removes them itself after a week",
    arrange: async (store) => {
      await store.push("a", one, "kept");
      const upload = join(uploadsPath(store.directory, "a"), "00000000-0000-4000-8000-000000000000", "data");
      await store.put(upload, "half");
      return { goes: [] };
    },
  },
  {
    name: "Race_GCRevalidatesBeforeDelete",
    asserts: "what was given a tag after it was found dead stays",
    arrange: async (store) => {
      await store.push("a", one, "kept");
      await store.push("a", two);
      return {
        goes: [],
        later: async () => {
          await store.put(store.tagLink("a", "again"), digest(two));
        },
      };
    },
  },
  {
    name: "manifest_list_partial_gc_child_in_use",
    asserts: "of an untagged list the tagged child stays, the other goes",
    arrange: async (store) => {
      const gone = index([one, two]);
      await store.push("a", gone);
      await store.push("a", one, "kept");
      return { goes: [gone, ...withParts(two)] };
    },
  },
  {
    name: "delete_manifests_with_subject",
    asserts: "a subject without a tag goes with its referrers",
    arrange: async (store) => {
      const about = signature(one);
      await store.push("a", one);
      await store.push("a", about);
      await store.push("a", two, "kept");
      return { goes: [...withParts(one), ...withParts(about)] };
    },
  },
  {
    name: "purge_manifest_list_no_infinite_loop",
    asserts: "an index that names itself ends, and goes",
    differs:
      "no digest can name itself, so these are other bytes than the digest stands for: unknown what they need, no blob goes",
    arrange: async (store) => {
      const hex = "ab".repeat(32);
      const own: Digest = `sha256:${hex}`;
      const mediaType = "application/vnd.oci.image.index.v1+json";
      const manifests = [{ mediaType, digest: own, size: 1 }];
      await store.put(store.blobData(own), encode({ schemaVersion: 2, mediaType, manifests }));
      await store.put(store.revisionLink("a", own), own);
      return { goes: [], refused: "damage" };
    },
  },
];

const zot: readonly OwnCase[] = [
  {
    name: "MultiArchIndexKeepsNestedConfigAndLayers",
    asserts: "all below a tagged index of indexes stays",
    arrange: async (store) => {
      await store.push("a", index([index([one, two]), three]), "kept");
      return { goes: [] };
    },
  },
  {
    name: "DockerSchema2ListNotOverDeleted",
    asserts: "all below a tagged Docker list stays, beside one that goes",
    arrange: async (store) => {
      const gone = dockerList([image("three", "linux/s390x", "docker")]);
      await store.push("a", list, "kept");
      await store.push("a", gone);
      return { goes: withParts(gone) };
    },
  },
  {
    name: "UnknownMediaTypeManifestPrunedSharedBlobKept",
    asserts: "an untagged manifest of an unknown type goes, a blob that it shares stays",
    arrange: async (store) => {
      const [shared, config] = [layer("shared"), leaf("application/vnd.example.config", encode({ own: 1 }))];
      const unknown = imageManifest("application/vnd.example.manifest+json", config, [shared]);
      await store.push("a", imageOf("linux/amd64", [shared]), "kept");
      await store.push("a", unknown);
      return { goes: [unknown, config] };
    },
  },
  {
    name: "DryRunDeletesNothing",
    asserts: "a dry run changes nothing",
    flags: ["plan"],
    arrange: async (store) => {
      await store.push("a", one);
      return { goes: [] };
    },
  },
  {
    name: "RemoveRepoAfterAllBlobsGCed",
    asserts: "an empty repository goes, but not during an upload",
    differs: "directories of repositories stay, so that no push can meet one that goes",
    arrange: async (store) => {
      await store.push("a", one);
      await store.put(join(uploadsPath(store.directory, "a"), "id", "data"), "half");
      return { goes: withParts(one) };
    },
  },
  {
    name: "diamond DAG once per node",
    asserts: "what two indexes share is removed and counted once",
    arrange: async (store) => {
      const diamond = index([index([one], { saysMediaType: false }), index([one])]);
      await store.push("a", diamond);
      return { goes: withParts(diamond) };
    },
  },
  {
    name: "keeps sparse index when some nested exist",
    asserts: "an index of which a child was never pushed stays, with the children that are there",
    differs: "registry 2.8.3 takes no such index: a child that is missing is damage, so that no blob goes",
    arrange: async (store) => {
      const sparse = index([one, two]);
      await store.push("a", one);
      await store.manifest("a", sparse.bytes, "kept");
      await store.push("a", three);
      return { goes: [], refused: "damage" };
    },
  },
  {
    name: "keeps signatures of what is kept",
    asserts: "a signature under cosign's tag stays with its image",
    differs: "a tag is a root for a collection, whatever its name; retention is what drops it with its image",
    arrange: async (store) => {
      const [own, other] = [detachedSignature(one), detachedSignature(two)];
      await store.push("a", one, "kept");
      await store.push("a", own, signatureTag(one));
      await store.push("a", two);
      await store.push("a", other, signatureTag(two));
      return { goes: withParts(two) };
    },
  },
];

const restic: readonly OwnCase[] = [
  {
    name: "TestPruneWithDamagedRepository",
    asserts: "a damaged repository is not pruned",
    differs:
      "repositories beside the damaged one lose the links that no tag needs; blobs are shared, so none goes",
    arrange: async (store) => {
      await store.push("damaged", one, "kept");
      await store.put(store.blobData(digest(one)), "{");
      await store.push("beside", two);
      await store.push("beside", three, "kept");
      return { goes: [], refused: "damage", unlinked: [["beside", two]] };
    },
  },
  {
    name: "TestPruneWithDamagedRepository (a link)",
    asserts: "a damaged repository is not pruned",
    arrange: async (store) => {
      await store.push("damaged", index([one, two]), "kept");
      await store.put(store.tagLink("damaged", "torn"), "sha256:12");
      await store.push("damaged", three);
      return { goes: [] };
    },
  },
];

const of = (peer: PeerCase["peer"], cases: readonly OwnCase[]): readonly PeerCase[] =>
  cases.map((one) => ({ peer, ...one }));

export const peerCases: readonly PeerCase[] = [
  ...of("distribution", distribution),
  ...of("Quay", quay),
  ...of("zot", zot),
  ...of("restic", restic),
];
