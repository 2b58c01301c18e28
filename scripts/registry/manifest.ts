import * as v from "valibot";
import { type Digest, parseDigest } from "./digest.ts";
import { isIndexMediaType, roleOfEntry } from "./media-types.ts";
import { parseOrdinaryImage } from "./ordinary-manifest.ts";

/**
 * The size up to which a manifest is read, in bytes: what registries must accept at least, and what distribution
 * accepts at most.
 *
 * Source: OCI distribution spec, "Pushing Manifests"; distribution registry/handlers/manifests.go.
 */
export const manifestSizeLimitBytes = 4 * 1024 * 1024;

/** A manifest that an index names. */
export interface ChildDescriptor {
  readonly digest: Digest;
  /** `os/architecture` or `os/architecture/variant`; null where the index names none, as for nested indexes. */
  readonly platform: string | null;
  /** An attestation about another entry, which no client pulls to run it. */
  readonly isAttestation: boolean;
  /** Absent where the index does not say: the specification asks for it. */
  readonly sizeBytes?: number;
  /** Whether only its content can show if it is a manifest: its media type is absent or unknown. */
  readonly mayBeBlob?: true;
}

/** A blob that a manifest names. */
export interface BlobDescriptor {
  readonly digest: Digest;
  readonly role: "config" | "layer";
  /** Null where the manifest does not say, as in Docker's schema 1. */
  readonly sizeBytes: number | null;
}

/** What a manifest needs. Each list holds each digest once. */
export interface Manifest {
  /** `index`: it has a list of manifests. `image`: anything else, an image of any generation or an artifact. */
  readonly type: "index" | "image";
  /** Manifests that it needs. */
  readonly children: readonly ChildDescriptor[];
  /** Blobs that the registry itself must hold: configuration, layers, and entries of an index that are blobs. */
  readonly blobs: readonly BlobDescriptor[];
  /** The manifest that this one is about, as signatures have it. */
  readonly subject?: Digest;
  /** Digests of other descriptors, wherever they stand in it: foreign layers, and what a later specification adds. */
  readonly others?: readonly Digest[];
}

/** Why some bytes are no manifest; as data, because for a scan it is a finding like any other. */
export interface ManifestFault {
  readonly type: "fault";
  readonly reason: string;
}

const digestText = v.pipe(
  v.string(),
  v.transform(parseDigest),
  v.check((digest) => digest !== undefined, "is not a digest"),
  v.transform((digest) => digest as Digest),
);

// A size that is none says nothing; what the digest names must be there all the same.
const sizeBytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const size = v.optional(v.fallback(v.nullable(sizeBytes), null), null);

const childSchema = v.object({
  digest: digestText,
  size,
  mediaType: v.nullish(v.string()),
  platform: v.nullish(v.object({ os: v.string(), architecture: v.string(), variant: v.nullish(v.string()) })),
  annotations: v.nullish(v.record(v.string(), v.string())),
});

const blobSchema = v.object({
  digest: digestText,
  size,
  urls: v.nullish(v.array(v.string())),
});

const manifestSchema = v.object({
  mediaType: v.nullish(v.string()),
  manifests: v.nullish(v.array(childSchema)),
  // What a manifest is about is no part of it: an unparsable one makes nothing unusable.
  subject: v.optional(v.fallback(v.nullable(v.object({ digest: digestText })), null), null),
  config: v.nullish(blobSchema),
  layers: v.nullish(v.array(blobSchema)),
  /** Artefact manifests of the first OCI 1.1 drafts. */
  blobs: v.nullish(v.array(blobSchema)),
  /** Docker schema 1. */
  fsLayers: v.nullish(v.array(v.object({ blobSum: digestText }))),
});

/**
 * A manifest from its bytes.
 *
 * An index is known by its list of manifests, not by its media type: OCI lets a writer leave that out.
 * Source: OCI image spec, image-index.md and manifest.md; Docker image manifest v2, schema 1 and 2.
 */
export function parseManifest(content: Uint8Array): Manifest | ManifestFault {
  const document = parseJson(content);
  if (document === undefined) return { type: "fault", reason: "is not JSON" };
  return parseOrdinaryImage(document) ?? parseBySchema(document);
}

function parseBySchema(document: unknown): Manifest | ManifestFault {
  const parsed = v.safeParse(manifestSchema, document);
  if (!parsed.success) return { type: "fault", reason: describeIssue(parsed.issues[0]) };
  const { mediaType, manifests, config, layers, blobs: artifactBlobs, fsLayers, subject } = parsed.output;
  if (!manifests && isIndexMediaType(mediaType ?? undefined))
    return { type: "fault", reason: "is an index without manifests" };
  if (!manifests && !config && !layers && !artifactBlobs && !fsLayers)
    return { type: "fault", reason: "names neither manifests nor blobs" };
  const { children, entries } = sortEntries(manifests ?? []);
  const blobs = firstOfEach([...blobsOf(parsed.output), ...entries]);
  const needed = new Set<string>([...children, ...blobs].map(({ digest }) => digest));
  if (subject) needed.add(subject.digest);
  const others = [...otherDigests(document, needed)];
  return {
    type: manifests ? "index" : "image",
    children,
    blobs,
    ...(subject && { subject: subject.digest }),
    ...(others.length > 0 && { others }),
  };
}

/**
 * Everything that a manifest refers to, its subject and foreign layers included, each digest once. A collector keeps all
 * of it, known or not.
 */
export function references({ children, blobs, subject, others = [] }: Manifest): readonly Digest[] {
  const digests = [...children, ...blobs].map(({ digest }) => digest);
  return [...new Set([...digests, ...(subject ? [subject] : []), ...others])];
}

/**
 * Digests of all descriptors at any depth, but those that are known.
 *
 * Source: OCI image spec, descriptor.md; Docker's schema 1, `blobSum`.
 */
function otherDigests(value: unknown, known: ReadonlySet<string>, found = new Set<Digest>()): Set<Digest> {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "object") otherDigests(inner, known, found);
    else if (typeof inner === "string" && (key === "digest" || key === "blobSum") && !known.has(inner)) {
      const digest = parseDigest(inner);
      if (digest) found.add(digest);
    }
  }
  return found;
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null for JSON that is no object, which no schema below takes. */
function parseJson(content: Uint8Array): unknown {
  try {
    const document: unknown = JSON.parse(strictDecoder.decode(content));
    return Array.isArray(document) ? null : document;
  } catch {
    return undefined;
  }
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path === null ? "is no JSON object" : `has an unusable ${path}: ${issue.message}`;
}

type Entry = v.InferOutput<typeof childSchema>;

/** The entries of an index: manifests, and blobs by their media types. An entry for a platform is always a manifest. */
function sortEntries(manifests: readonly Entry[]) {
  const children: ChildDescriptor[] = [];
  const entries: BlobDescriptor[] = [];
  for (const entry of manifests) {
    const role = entry.platform ? "manifest" : roleOfEntry(entry.mediaType ?? undefined);
    if (role === "config" || role === "layer")
      entries.push({ digest: entry.digest, role, sizeBytes: entry.size });
    else children.push(toChild(entry, role === undefined));
  }
  return { children, entries };
}

function toChild({ digest, size, platform, annotations }: Entry, mayBeBlob: boolean): ChildDescriptor {
  const parts = platform ? [platform.os, platform.architecture, platform.variant].filter(Boolean) : [];
  const text = parts.length > 0 ? parts.join("/") : null;
  // BuildKit marks its attestations by both; older versions and other tools by one of them.
  const isMarked = annotations?.["vnd.docker.reference.type"] === "attestation-manifest";
  const isAttestation = isMarked || text === "unknown/unknown";
  return {
    digest,
    platform: text,
    isAttestation,
    ...(size !== null && { sizeBytes: size }),
    ...(mayBeBlob && { mayBeBlob }),
  };
}

/** Layers with `urls` live elsewhere by design (Windows base layers): the registry need not hold them. */
function blobsOf({
  config,
  layers,
  blobs,
  fsLayers,
}: v.InferOutput<typeof manifestSchema>): readonly BlobDescriptor[] {
  const toBlob =
    (role: BlobDescriptor["role"]) =>
    ({ digest, size, urls }: v.InferOutput<typeof blobSchema>): readonly BlobDescriptor[] =>
      urls?.length ? [] : [{ digest, role, sizeBytes: size }];
  return [
    ...(config ? toBlob("config")(config) : []),
    ...[...(layers ?? []), ...(blobs ?? [])].flatMap(toBlob("layer")),
    ...(fsLayers ?? []).map(({ blobSum }) => ({ digest: blobSum, role: "layer" as const, sizeBytes: null })),
  ];
}

function firstOfEach(blobs: readonly BlobDescriptor[]): readonly BlobDescriptor[] {
  const seen = new Set<Digest>();
  return blobs.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}
