import { join } from "node:path";
import type { LabHost } from "../host/host.ts";
import { replaceDirectory, writeAtomically } from "../machine/files.ts";
import { addressesOf, type Instance, ports } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import { run, type StepOptions, succeeds } from "../machine/run.ts";
import { type SampleImage, writeLayout } from "./oci-layout.ts";

/** Account of the private registry. */
export interface RegistryAccount {
  readonly user: string;
  readonly password: string;
}

/** The image that the private registry starts with: two platforms and an attestation, as BuildKit pushes it. */
const ciImage: SampleImage = {
  name: "infra-ci",
  tag: "latest",
  architectures: ["amd64", "arm64"],
  attested: true,
};

/** Name and tag of that image in the private registry. */
export const ciImageReference = `${ciImage.name}:${ciImage.tag}`;

/** The image that the stand-in for the public registries holds. */
const publicImage: SampleImage = {
  name: "library/hello",
  tag: "1.0",
  architectures: ["amd64", "arm64"],
  attested: false,
};

/** Files that clients need to reach the instance's private registry. */
export interface ClientFiles {
  /** `skopeo --authfile`: the account. Only its owner reads it. */
  readonly authFile: string;
  /** `skopeo --cert-dir`: the authority. */
  readonly certificateDirectory: string;
  /** The host's key, under the address that it is reached by. */
  readonly knownHostsFile: string;
  /** Script that runs a command on the host, or opens a shell there, with the host's key checked. */
  readonly sshCommand: string;
  /** HOST:PORT of the private registry. */
  readonly registry: string;
}

/** Where a client finds account and authority. */
export function clientFiles(instance: Instance): ClientFiles {
  const directory = join(stateDirectory(instance), "client");
  return {
    authFile: join(directory, "auth.json"),
    certificateDirectory: join(directory, "certificates"),
    knownHostsFile: join(directory, "known_hosts"),
    sshCommand: join(directory, "ssh"),
    registry: `${addressesOf(instance).address}:${ports.private}`,
  };
}

/** Writes account, authority and the host's key for clients. */
export function writeClientFiles(
  instance: Instance,
  account: RegistryAccount,
  authority: string,
  host: Pick<LabHost, "hostKey" | "privateKeyFile">,
): ClientFiles {
  const files = clientFiles(instance);
  const { address } = addressesOf(instance);
  const auth = Buffer.from(`${account.user}:${account.password}`).toString("base64");
  writeAtomically(
    files.authFile,
    `${JSON.stringify({ auths: { [files.registry]: { auth } } }, null, 2)}\n`,
    0o600,
  );
  writeAtomically(join(files.certificateDirectory, "ca.crt"), authority);
  writeAtomically(files.knownHostsFile, `[${address}]:${ports.ssh} ${host.hostKey}\n`);
  const known = `-o UserKnownHostsFile='${files.knownHostsFile}' -o StrictHostKeyChecking=yes`;
  const ssh = `exec ssh -i '${host.privateKeyFile}' ${known} -p ${ports.ssh} root@${address} "$@"`;
  writeAtomically(files.sshCommand, `#!/bin/sh\n${ssh}\n`, 0o755);
  return files;
}

function referenceOf(image: SampleImage, registry: string): string {
  return `docker://${registry}/${image.name}:${image.tag}`;
}

/** Pushes an image with a real client, all its platforms. */
async function push(
  image: SampleImage,
  registry: string,
  flags: Flags,
  options: StepOptions & Where,
): Promise<void> {
  const layout = join(options.directory, image.name.replace("/", "-"));
  await replaceDirectory(layout, (beside) => writeLayout(image, beside));
  const command = ["skopeo", "copy", "--all", ...flags.common, ...flags.destination] as const;
  const settings = { ...options, timeoutSeconds: 60 };
  await run([...command, `oci:${layout}:${image.tag}`, referenceOf(image, registry)], settings);
}

/** Pushes an image unless its tag is there: what was damaged on purpose must stay damaged. */
async function pushMissing(
  image: SampleImage,
  registry: string,
  flags: Flags,
  options: StepOptions & Where,
): Promise<boolean> {
  const reference = referenceOf(image, registry);
  const look = ["skopeo", "inspect", "--raw", ...flags.common, ...flags.source, reference] as const;
  if (await succeeds(look, { quiet: true })) return false;
  await push(image, registry, flags, options);
  return true;
}

interface Where {
  readonly directory: string;
}

interface Flags {
  readonly common: readonly string[];
  readonly source: readonly string[];
  readonly destination: readonly string[];
}

function where(instance: Instance): Where {
  return { directory: join(stateDirectory(instance), "images") };
}

function ciFlags({ authFile, certificateDirectory }: ClientFiles): Flags {
  return {
    common: ["--authfile", authFile],
    source: ["--cert-dir", certificateDirectory],
    destination: ["--dest-cert-dir", certificateDirectory],
  };
}

/** Has `infra-ci:latest` in the private registry. Gives whether it had to be pushed. */
export async function ensureCiImage(instance: Instance, options: StepOptions = {}): Promise<boolean> {
  const files = clientFiles(instance);
  return pushMissing(ciImage, files.registry, ciFlags(files), { ...options, ...where(instance) });
}

/** Pushes `infra-ci:latest`, whether its tag is there or not: this brings back what was lost below it. */
export async function pushCiImage(instance: Instance, options: StepOptions = {}): Promise<void> {
  const files = clientFiles(instance);
  await push(ciImage, files.registry, ciFlags(files), { ...options, ...where(instance) });
}

/** Has `library/hello:1.0` in the stand-in for the public registries. Gives whether it had to be pushed. */
export async function ensurePublicImage(instance: Instance, options: StepOptions = {}): Promise<boolean> {
  const flags = { common: [], source: ["--tls-verify=false"], destination: ["--dest-tls-verify=false"] };
  const registry = `${addressesOf(instance).upstreamIp}:5000`;
  return pushMissing(publicImage, registry, flags, { ...options, ...where(instance) });
}
