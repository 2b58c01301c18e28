import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { clientFiles } from "../host/client-files.ts";
import { replaceDirectory } from "../machine/files.ts";
import type { Instance } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import { run, type StepOptions, succeeds } from "../machine/run.ts";
import { tar } from "../machine/tar.ts";
import { attestation, type Content, image, imageIndex, writeLayout } from "./oci-content.ts";

/** A small image that the lab pushes. */
interface SampleImage {
  readonly name: string;
  readonly tag: string;
  readonly content: Content;
}

const architectures = ["amd64", "arm64"] as const;

/** An image index with a child for each architecture; each child has one layer with one file, which says `text`. */
export function sampleIndex(text: string, { isAttested = false } = {}): Content {
  const children = architectures.map((architecture) => {
    const files = tar([{ path: "hello", content: `${text} for ${architecture}\n` }]);
    const diffId = `sha256:${createHash("sha256").update(files).digest("hex")}`;
    return image(architecture, gzipSync(files), diffId);
  });
  const attestations = isAttested ? children.slice(0, 1).map(attestation) : [];
  return imageIndex([...children, ...attestations]);
}

function sampleImage(name: string, tag: string, options = {}): SampleImage {
  return { name, tag, content: sampleIndex(`${name}:${tag}`, options) };
}

/** The image that the private registry starts with: two platforms and an attestation, as BuildKit pushes it. */
export const ciImage = sampleImage("infra-ci", "latest", { isAttested: true });

/** Name and tag of that image in the private registry. */
export const ciImageReference = `${ciImage.name}:${ciImage.tag}`;

/** The image that the stand-in for the public registries has. */
const publicImage = sampleImage("library/hello", "1.0");

/** A registry, as skopeo reaches it. */
interface Registry {
  /** HOST:PORT */
  readonly address: string;
  readonly accountFlags: readonly string[];
  /** Without its dashes, because `skopeo copy` has one for the source and one for the destination. */
  readonly tlsFlag: string;
}

function privateRegistry(instance: Instance): Registry {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  return {
    address: registry,
    accountFlags: ["--authfile", authFile],
    tlsFlag: `cert-dir=${certificateDirectory}`,
  };
}

function referenceOf({ name, tag }: SampleImage, { address }: Registry): string {
  return `docker://${address}/${name}:${tag}`;
}

/** Directory of the OCI layout that an image is pushed from. */
export function layoutDirectory(instance: Instance, { name }: Pick<SampleImage, "name"> = ciImage): string {
  return join(stateDirectory(instance), "images", name.replace("/", "-"));
}

/** Pushes an image with a real client, all its platforms. */
async function push(
  instance: Instance,
  image: SampleImage,
  registry: Registry,
  options: StepOptions,
): Promise<void> {
  const layout = layoutDirectory(instance, image);
  await replaceDirectory(layout, (beside) => writeLayout(beside, image.content, image.tag));
  const command = [
    "skopeo",
    "copy",
    "--all",
    ...registry.accountFlags,
    `--dest-${registry.tlsFlag}`,
  ] as const;
  const settings = { ...options, timeoutSeconds: 60 };
  await run([...command, `oci:${layout}:${image.tag}`, referenceOf(image, registry)], settings);
}

/** Pushes an image unless its tag is there: what was damaged on purpose must stay damaged. */
async function pushMissing(
  instance: Instance,
  image: SampleImage,
  registry: Registry,
  options: StepOptions,
): Promise<boolean> {
  const { accountFlags, tlsFlag } = registry;
  const inspect = ["skopeo", "inspect", "--raw", ...accountFlags, `--${tlsFlag}`] as const;
  if (await succeeds([...inspect, referenceOf(image, registry)], { quiet: true })) return false;
  await push(instance, image, registry, options);
  return true;
}

/** Has `infra-ci:latest` in the private registry. Returns whether it had to be pushed. */
export async function ensureCiImage(instance: Instance, options: StepOptions = {}): Promise<boolean> {
  return pushMissing(instance, ciImage, privateRegistry(instance), options);
}

/** Pushes `infra-ci:latest`, whether its tag is there or not: this brings back what is missing below the tag. */
export async function pushCiImage(instance: Instance, options: StepOptions = {}): Promise<void> {
  await push(instance, ciImage, privateRegistry(instance), options);
}

/** Has `library/hello:1.0` in the stand-in for the public registries, which listens at HOST:PORT without TLS. */
export async function ensurePublicImage(
  instance: Instance,
  address: string,
  options: StepOptions = {},
): Promise<void> {
  const registry = { address, accountFlags: [], tlsFlag: "tls-verify=false" };
  await pushMissing(instance, publicImage, registry, options);
}
