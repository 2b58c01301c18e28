import { type composeNetwork, programUid } from "../../../contract/host-names.ts";
import { bundleFile, hostPaths } from "../../../contract/host-paths.ts";
import type { RegistrySettings } from "../settings.ts";

/** A container for one command, without capabilities, privileges and a writable root. */
export interface Sandbox {
  readonly image: string;
  readonly command: string;
  readonly network: "none" | "host" | typeof composeNetwork;
  /** Whether an image that the host lacks is fetched. */
  readonly pull: "missing" | "never";
  /** `SOURCE:TARGET`, and `:ro` where it is only read. */
  readonly volumes: readonly string[];
  /** More of `docker run`, in groups. */
  readonly options?: readonly string[];
}

/** Where programs find the reports in their container. */
export const REPORT_MOUNT = "/report";

/** Where the deployment check finds the listing of the host's jobs in its container. */
export const JOBS_MOUNT = "/jobs";

/** The command line of a sandbox, in lines that belong together: join them as the file that they go into asks for. */
export function sandboxed(sandbox: Sandbox): string[] {
  const { image, command, network, pull, volumes, options = [] } = sandbox;
  return [
    `docker run --rm --pull ${pull} --network ${network} --read-only --cap-drop ALL --security-opt no-new-privileges`,
    ...options,
    ...volumes.map((volume) => `--volume ${volume}`),
    `${image} ${command}`,
  ];
}

/** What differs between the programs' containers. */
export type Program = Omit<Sandbox, "image" | "pull"> & {
  /** `UID:GID`. @default the programs' own account */
  readonly user?: string;
};

/**
 * The command line of a program in the pinned Node container, over several lines. It never pulls: what runs at night
 * depends on no network.
 */
export function programCommand({ directory, images }: RegistrySettings, program: Program): string {
  const { command, volumes, options = [], user = `${programUid}:${programUid}` } = program;
  const target = `/${bundleFile}`;
  const lines = sandboxed({
    ...program,
    image: images.node,
    pull: "never",
    command: `node ${target} ${command}`,
    volumes: [...volumes, `${hostPaths(directory).bundle}:${target}:ro`],
    options: [`--user ${user}`, ...options],
  });
  return lines.join(" \\\n  ");
}

/** Takes away the container of a program that was killed; mostly there is none, and that is no error. */
export function removeContainer(name: string): string {
  return `/bin/sh -c "docker rm --force ${name} >/dev/null 2>&1"`;
}
