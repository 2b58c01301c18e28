import { randomBytes } from "node:crypto";
import { type Content, imageIndex } from "./oci-content.ts";
import { sampleIndex } from "./sample-images.ts";

/** A tag, as a build pushes it. */
export interface BuildTag {
  readonly repository: string;
  readonly tag: string;
  readonly content: Content;
}

/**
 * What builds push: an image for one platform, an image index with an attestation, a Docker manifest list, an index of
 * indexes, and an index with a signature beside it.
 */
export const buildKinds = ["image", "index", "docker-list", "nested", "signed"] as const;
type BuildKind = (typeof buildKinds)[number];

/** Holds the repositories of the builds, and nothing else. */
export const buildsDirectory = "ci/builds";

export function buildRepository(kind: BuildKind): string {
  return `${buildsDirectory}/${kind}`;
}

/** No compression makes it smaller by much, so that a collection frees what a person sees. */
const randomText = () => randomBytes(150_000).toString("base64");

function contentOf(kind: BuildKind): Content {
  const index = sampleIndex(randomText(), { isAttested: kind === "index" });
  if (kind === "nested") return imageIndex([index, sampleIndex(randomText())]);
  const [image = index] = index.parts;
  return kind === "image" ? image : index;
}

/** A new build under this tag; of a signed one, also the signature, under the tag by which cosign finds it. */
export function newBuild(kind: BuildKind, tag: string): readonly BuildTag[] {
  const repository = buildRepository(kind);
  const content = contentOf(kind);
  if (kind !== "signed") return [{ repository, tag, content }];
  const signature = contentOf("image");
  const signatureTag = `${content.descriptor.digest.replace(":", "-")}.sig`;
  return [
    { repository, tag, content },
    { repository, tag: signatureTag, content: signature },
  ];
}
