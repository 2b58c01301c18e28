import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientFiles } from "../host/client-files.ts";
import type { Instance } from "../machine/instances.ts";
import { type Command, run, type StepOptions } from "../machine/run.ts";

/** The result of a client's request. */
export interface ClientResult {
  readonly worked: boolean;
  /** One line: the reason, as the client prints it. */
  readonly text: string;
}

/** Text with the first twelve digits of each digest. */
export function shortDigests(text: string): string {
  return text.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1...");
}

/** Why skopeo failed: the innermost part of its last line, with short digests. */
export function reasonOf(output: string): string {
  const line = output.trim().split("\n").at(-1) ?? "";
  const message = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  const text = (message ?? line).replaceAll('\\"', '"').replace(/^.*?: (?=reading (?:manifest|blob) )/, "");
  return shortDigests(text).replace(/(: [^:]+)\1$/, "$1");
}

/** Runs skopeo. */
export async function skopeo(args: readonly string[], options: StepOptions): Promise<ClientResult> {
  const settings = { ...options, quiet: true, accept: [0, 1, 2], timeoutSeconds: 120 };
  const { exitCode, stderr } = await run(["skopeo", ...args] as Command, settings);
  return { worked: exitCode === 0, text: exitCode === 0 ? "" : reasonOf(stderr) };
}

/** Requests the tag's own manifest only, as a shallow check does. */
export async function inspectTag(
  instance: Instance,
  image: string,
  options: StepOptions = {},
): Promise<ClientResult> {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  const flags = ["--authfile", authFile, "--cert-dir", certificateDirectory];
  return skopeo(["inspect", "--raw", ...flags, `docker://${registry}/${image}`], options);
}

/** Pulls the image for one platform, as a node would. */
export async function pullImage(
  instance: Instance,
  image: string,
  architecture: string,
  options: StepOptions = {},
): Promise<ClientResult> {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  const flags = ["--authfile", authFile, "--src-cert-dir", certificateDirectory];
  const platform = ["--override-os", "linux", "--override-arch", architecture];
  const directory = await mkdtemp(join(tmpdir(), "regwarden-pull-"));
  try {
    const target = `dir:${directory}`;
    return await skopeo([...platform, "copy", ...flags, `docker://${registry}/${image}`, target], options);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
