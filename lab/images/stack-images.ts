import type { LabHost } from "../host/host.ts";
import { docker, hasImage, importImage, insideOf, removeOtherVersions } from "../machine/docker-client.ts";
import { messageOf } from "../machine/errors.ts";
import { registryOf, resolves } from "../machine/network.ts";
import { runPiped, type StepOptions } from "../machine/run.ts";
import { ensureMadeImage, madeHashLabel, madeImageHash } from "./built-images.ts";
import { type ImageRole, imageRoles } from "./recipes.ts";

/** The pinned image name for each role. */
export type ImageNames = Readonly<Record<ImageRole, string>>;

/** What the lab's stack runs. */
export const stackImages: ImageNames = {
  registry: "registry:2.8.3",
  nginx: "nginx:1.28.0-alpine",
  ui: "joxit/docker-registry-ui:2.5.7",
  node: "node:24.21.0-bookworm-slim",
};

/** Where an image of the host came from. */
export type ImageOrigin = "pulled" | "made from packages";

/** The hash label of an image in some engine: "" for one that was pulled, undefined for none. */
type Present = string | undefined;

const labelFormat = `{{with .Config.Labels}}{{index . "${madeHashLabel}"}}{{end}}`;

/** Has the machine's own engine pull the image, where its registry can be reached; false where it cannot. */
export async function pullOuterImage(name: string, options: StepOptions = {}): Promise<boolean> {
  if (await hasImage(name)) return true;
  if (!(await resolves(registryOf(name)))) return false;
  try {
    await docker(["pull", name], { ...options, quiet: false, timeoutSeconds: 240, dieWithParent: true });
    return true;
  } catch (error) {
    options.reporter?.say(`${name} cannot be pulled: ${messageOf(error)}`);
    return false;
  }
}

async function presentOnHost(host: LabHost, name: string): Promise<Present> {
  const command = `docker image inspect --format '${labelFormat}' ${name}`;
  const { stdout, exitCode } = await host.exec(command, { quiet: true, timeoutSeconds: 30 });
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function ensureOnHost(
  host: LabHost,
  role: ImageRole,
  name: string,
  options: StepOptions,
): Promise<ImageOrigin> {
  const present = await presentOnHost(host, name);
  if (present === "") return "pulled";
  if (present === madeImageHash(role)) return "made from packages";
  if (await pullOuterImage(name, options)) {
    await runPiped(["docker", "save", name], await insideOf(host.container, ["docker", "load"]), options);
    return "pulled";
  }
  const made = await ensureMadeImage(role, options);
  options.reporter?.say(`loading ${name}, made from packages, into the host's engine`);
  const engine = await insideOf(host.container, ["docker"]);
  await importImage(["cat", made.tarFile], name, made.changes, engine, options);
  return "made from packages";
}

/**
 * Has the host's own engine hold every image under its pinned name: pulled where that works, else made from the root
 * file system's packages. What is there already is kept.
 */
export async function ensureImages(
  host: LabHost,
  names: ImageNames,
  options: StepOptions = {},
): Promise<Record<string, ImageOrigin>> {
  const origins: Record<string, ImageOrigin> = {};
  for (const role of imageRoles) origins[names[role]] = await ensureOnHost(host, role, names[role], options);
  return origins;
}

/**
 * The image of a role in the machine's own engine, and the name that it has there. A made one never takes a public
 * name: the machine may have other uses for it.
 */
export async function ensureOuterImage(
  role: ImageRole,
  pinned: string,
  options: StepOptions = {},
): Promise<string> {
  if (await pullOuterImage(pinned, options)) return pinned;
  const made = await ensureMadeImage(role, options);
  const name = `regwarden-${role}:${made.hash}`;
  if (!(await hasImage(name)))
    await importImage(["cat", made.tarFile], name, made.changes, ["docker"], options);
  await removeOtherVersions(name);
  return name;
}
