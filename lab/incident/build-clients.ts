import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientFiles, ensureAccount } from "../host/client-files.ts";
import { type BuildTag, buildRepository } from "../images/build-images.ts";
import { type Content, writeLayout } from "../images/oci-content.ts";
import type { Instance } from "../machine/instances.ts";
import { run, type StepOptions } from "../machine/run.ts";
import { type ClientResult, skopeo } from "./client-view.ts";

const isIndexOfIndexes = ({ content }: BuildTag) =>
  content.parts.some(({ parts }) => parts.some((part) => part.parts.length > 0));

/** The result of the last, or of the first that failed. */
async function inTurn(works: readonly (() => Promise<ClientResult>)[]): Promise<ClientResult> {
  let result: ClientResult = { worked: true, text: "" };
  for (const work of works) {
    result = await work();
    if (!result.worked) return result;
  }
  return result;
}

async function withScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "regwarden-build-"));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Pushes with skopeo; an index of indexes, which skopeo does not copy, by a request after what lies below it. */
export async function pushBuild(
  instance: Instance,
  build: BuildTag,
  options: StepOptions = {},
): Promise<ClientResult> {
  const { repository, tag, content } = build;
  const isDockers = repository === buildRepository("docker-list");
  const format = isDockers ? ["--format", "v2s2"] : ["--preserve-digests"];
  const push = (part: Content, reference: string) => () =>
    copyTo(instance, part, `${repository}${reference}`, format, options);
  if (!isIndexOfIndexes(build)) return push(content, `:${tag}`)();
  return inTurn([
    ...content.parts.map((part) => push(part, `@${part.descriptor.digest}`)),
    () => putManifest(instance, build, options),
  ]);
}

/** Pulls a tag with all its platforms, byte for byte. */
export async function pullBuild(
  instance: Instance,
  build: BuildTag,
  options: StepOptions = {},
): Promise<ClientResult> {
  const { repository, tag, content } = build;
  const pull = (reference: string) => () => copyFrom(instance, `${repository}${reference}`, options);
  if (!isIndexOfIndexes(build)) return pull(`:${tag}`)();
  return inTurn(content.parts.map((part) => pull(`@${part.descriptor.digest}`)));
}

async function copyTo(
  instance: Instance,
  content: Content,
  target: string,
  format: readonly string[],
  options: StepOptions,
): Promise<ClientResult> {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  return withScratch(async (directory) => {
    await writeLayout(directory, content, "image");
    const account = ["--authfile", authFile, "--dest-cert-dir", certificateDirectory];
    const places = [`oci:${directory}:image`, `docker://${registry}/${target}`];
    return skopeo(["copy", "--all", ...format, ...account, ...places], options);
  });
}

async function copyFrom(instance: Instance, source: string, options: StepOptions): Promise<ClientResult> {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  return withScratch((directory) => {
    const account = ["--authfile", authFile, "--src-cert-dir", certificateDirectory];
    const places = [`docker://${registry}/${source}`, `dir:${directory}`];
    return skopeo(["copy", "--all", ...account, ...places], options);
  });
}

async function putManifest(
  instance: Instance,
  { repository, tag, content: { bytes, descriptor } }: BuildTag,
  options: StepOptions,
): Promise<ClientResult> {
  const { certificateDirectory, registry } = clientFiles(instance);
  const { user, password } = ensureAccount(instance);
  return withScratch(async (directory) => {
    const file = join(directory, "manifest.json");
    await writeFile(file, bytes);
    const body = ["--header", `content-type: ${descriptor.mediaType}`, "--data-binary", `@${file}`];
    // By standard input, so that the password is no argument.
    const account = ["--cacert", join(certificateDirectory, "ca.crt"), "--config", "-"];
    const url = `https://${registry}/v2/${repository}/manifests/${tag}`;
    const request = ["--request", "PUT", ...account, ...body, url];
    const { exitCode, stderr } = await run(["curl", "--fail", "--silent", "--show-error", ...request], {
      ...options,
      quiet: true,
      timeoutSeconds: 120,
      input: `user = "${user}:${password}"\n`,
      // Of libcurl: no connection, a broken one, an answer from 400 on.
      accept: [0, 7, 22, 52, 56],
    });
    return { worked: exitCode === 0, text: stderr.trim() };
  });
}
