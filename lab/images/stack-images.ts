import { pinnedImages } from "../../contract/images.ts";
import { type LabHost, onHost } from "../host/host.ts";
import { docker, hasImage, importImage, removeOtherVersions } from "../machine/docker-client.ts";
import { LabError, messageOf } from "../machine/errors.ts";
import { registryOf, resolves } from "../machine/network.ts";
import { runPiped, type StepOptions } from "../machine/run.ts";
import { builtHashLabel, builtImageHash, ensureBuiltImage } from "./image-build.ts";
import { type ImageRole, imageRoles } from "./recipes.ts";

/** Where an image in the host's engine came from. */
export type ImageOrigin = "pulled" | "built from packages";

const labelFormat = `{{with .Config.Labels}}{{index . "${builtHashLabel}"}}{{end}}`;

/** Has the machine's own engine pull the image, where its registry can be reached; false where it cannot. */
async function pullOuterImage(name: string, options: StepOptions): Promise<boolean> {
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

/** The hash label of an image in the host's engine: "" for one that was pulled, undefined where there is none. */
async function labelOnHost(host: LabHost, name: string): Promise<string | undefined> {
  const command = `docker image inspect --format '${labelFormat}' ${name}`;
  const { stdout, exitCode } = await host.exec(command, { quiet: true, timeoutSeconds: 30 });
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function ensureOnHost(host: LabHost, role: ImageRole, options: StepOptions): Promise<ImageOrigin> {
  const name = pinnedImages[role];
  const label = await labelOnHost(host, name);
  if (label === "") return "pulled";
  if (label === builtImageHash(role)) return "built from packages";
  if (await pullOuterImage(name, options)) {
    await runPiped(["docker", "save", name], onHost(host.container, ["docker", "load"]), options);
    return "pulled";
  }
  const built = await ensureBuiltImage(role, options);
  options.reporter?.say(`loading ${name}, built from packages, into the host's engine`);
  const engine = onHost(host.container, ["docker"]);
  await importImage(["cat", built.tarFile], name, built.changes, engine, options);
  return "built from packages";
}

/**
 * Has every image that the stack runs in the host's own engine, under its pinned name: pulled where that works, else
 * built from the root file system's packages. Images that are there already are kept. Returns the origin of each.
 */
export async function ensureImages(host: LabHost, options: StepOptions = {}): Promise<ImageOrigin[]> {
  const origins: ImageOrigin[] = [];
  for (const role of imageRoles) origins.push(await ensureOnHost(host, role, options));
  return origins;
}

/**
 * Has an image in the machine's own engine: pulled, or built where it is one that the stack runs. Returns its name
 * there: a built one never takes the public name, because the machine may have other uses for that.
 *
 * Errors: E_UNREACHABLE for an image that can be neither pulled nor built.
 */
export async function ensureOuterImage(name: string, options: StepOptions = {}): Promise<string> {
  if (await pullOuterImage(name, options)) return name;
  const role = imageRoles.find((known) => pinnedImages[known] === name);
  if (role === undefined) {
    throw new LabError(
      "E_UNREACHABLE",
      `the image ${name} cannot be pulled, and the lab builds none like it`,
    );
  }
  const built = await ensureBuiltImage(role, options);
  const ownName = `regwarden-${role}:${built.hash}`;
  if (!(await hasImage(ownName)))
    await importImage(["cat", built.tarFile], ownName, built.changes, ["docker"], options);
  await removeOtherVersions(ownName);
  return ownName;
}
