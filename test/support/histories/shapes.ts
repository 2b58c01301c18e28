import { mediaTypes } from "../../../scripts/registry/media-types.ts";
import {
  artifact,
  buildCache,
  buildCacheImage,
  chart,
  detachedSignature,
  emptyArtifact,
  fileIndex,
} from "../images/artifacts.ts";
import {
  attestation,
  type Content,
  digest,
  dockerList,
  emptyLayer,
  encode,
  foreignLayer,
  type Generation,
  imageManifest,
  imageOf,
  index,
  layer,
  leaf,
  signature,
} from "../images/oci-content.ts";

/**
 * Everything that clients push, as data that prints in a line. Equal shapes give equal digests, and equal texts give equal
 * layers, so that images, indexes and repositories share what they hold.
 */
export type Shape = ImageShape | IndexShape | ArtifactShape;

/** `empty`: the legitimate blob of no bytes. `foreign`: with an address of its own, and not in the registry. */
export interface LayerShape {
  readonly layer: "plain" | "sha512" | "empty" | "foreign";
  readonly text: string;
}

export interface ImageShape {
  readonly shape: "image";
  readonly generation: Generation;
  /** `OS/ARCHITECTURE[/VARIANT]` */
  readonly platform: string;
  readonly layers: readonly LayerShape[];
  readonly configUnder: "sha256" | "sha512";
}

/** An image index, or Docker's list. Its entries are manifests and, as registry 2.8.3 allows, layers that it holds. */
export interface IndexShape {
  readonly shape: "index";
  readonly generation: Generation;
  readonly of: readonly (Shape | LayerShape)[];
  /** Whether an OCI index says its own media type, which it need not. */
  readonly saysMediaType: boolean;
  /** Whether an OCI index says what its entries are: their media types may be absent, or unknown ones. */
  readonly entries: "typed" | "untyped" | "unknown";
  /** How an attestation about each image among its entries is marked; null: there is none. */
  readonly attested: "both" | "platform" | "annotations" | null;
}

/** What is no image, nor an index of images. */
export interface ArtifactShape {
  readonly shape: "artifact";
  readonly of: keyof typeof artifacts;
  readonly text: string;
}

const artifacts = {
  "build cache": (text) => buildCache(text),
  "Docker build cache": (text) => buildCache(text, "docker"),
  "build cache image": buildCacheImage,
  /** With the empty configuration. */
  artifact,
  "empty artifact": emptyArtifact,
  chart,
  files: fileIndex,
} as const satisfies Record<string, (text: string) => Content>;

export const artifactKinds = Object.keys(artifacts) as (keyof typeof artifacts)[];

/** The manifest that a shape stands for, with everything that is pushed with it. */
export function build(shape: Shape): Content {
  if (shape.shape === "image") return buildImage(shape);
  return shape.shape === "index" ? buildIndex(shape) : artifacts[shape.of](shape.text);
}

function buildImage({ platform, layers, generation, configUnder }: ImageShape): Content {
  const built = layers.map((one) => buildLayer(one, generation));
  return imageOf(platform, built, { generation, configUnder });
}

function buildLayer({ layer: kind, text }: LayerShape, generation: Generation = "oci"): Content {
  if (kind === "empty") return emptyLayer(generation);
  if (kind === "foreign") return foreignLayer(text, generation);
  return layer(text, generation, kind === "sha512" ? "sha512" : "sha256");
}

function buildIndex({ generation, of, saysMediaType, entries, attested }: IndexShape): Content {
  const built = of.map((one) => ("layer" in one ? buildLayer(one) : build(one)));
  const images = built.filter((_, at) => isImage(of[at]));
  const attestations = attested === null ? [] : images.map((one) => attestation(one, attested));
  const all = [...built, ...attestations];
  if (generation === "docker") return dockerList(all);
  return index(all, { saysMediaType, describe: describers[entries] });
}

function isImage(shape: IndexShape["of"][number] | undefined): boolean {
  return shape !== undefined && "shape" in shape && shape.shape === "image";
}

const describers = {
  typed: ({ descriptor }: Content) => descriptor,
  untyped: ({ descriptor: { mediaType: _, ...rest } }: Content) => rest,
  unknown: ({ descriptor }: Content) => ({ ...descriptor, mediaType: "application/vnd.example.unknown" }),
} as const;

/** `cosign`: as cosign wrote it before the `subject`, so that only its tag says what it is about. */
export type ReferrerForm = "cosign" | "signature" | "artifact";

/** A manifest about another one. */
export function buildReferrer(form: ReferrerForm, about: Content): Content {
  if (form === "cosign") return detachedSignature(about);
  if (form === "signature") return signature(about);
  const { mediaType, digest, size } = about.descriptor;
  const statement = leaf("application/vnd.example.statement+json", encode({ about: digest }));
  return imageManifest(mediaTypes.ociManifest, leaf(mediaTypes.ociEmpty, encode({})), [statement], {
    artifactType: "application/vnd.example.statement",
    subject: { mediaType, digest, size },
  });
}

/** The index under the fallback tag: the referrers that it has, and one more. */
export function addReferrer(list: Content | undefined, referrer: Content): Content {
  const others = (list?.parts ?? []).filter((one) => digest(one) !== digest(referrer));
  return index([...others, referrer]);
}

/** Whether skopeo can push it: it copies neither indexes of indexes nor what it does not know. */
export function isForSkopeo(shape: Shape): boolean {
  if (shape.shape === "image")
    return shape.configUnder === "sha256" && shape.layers.every(({ layer }) => layer === "plain");
  if (shape.shape !== "index" || shape.entries !== "typed" || !shape.saysMediaType) return false;
  const isOfOneKind = (one: Shape | LayerShape) =>
    "shape" in one && one.shape === "image" && one.generation === shape.generation && isForSkopeo(one);
  return shape.of.every(isOfOneKind) && (shape.generation === "oci" || shape.attested === null);
}

/** In a few words. */
export function describeShape(shape: Shape | LayerShape): string {
  if ("layer" in shape) return `${shape.layer}:${shape.text}`;
  if (shape.shape === "artifact") return `${shape.of}(${shape.text})`;
  if (shape.shape === "image") {
    const config = shape.configUnder === "sha512" ? " config under sha512" : "";
    return `${shape.generation} image(${shape.platform} ${shape.layers.map(describeShape).join(" ")}${config})`;
  }
  const isOci = shape.generation === "oci";
  const marks = [
    ...(isOci && !shape.saysMediaType ? ["says no type"] : []),
    ...(isOci && shape.entries !== "typed" ? [`${shape.entries} entries`] : []),
    ...(shape.attested === null ? [] : [`attested by ${shape.attested}`]),
  ];
  const about = marks.length > 0 ? `; ${marks.join(", ")}` : "";
  return `${shape.generation} index(${shape.of.map(describeShape).join(" ")}${about})`;
}
