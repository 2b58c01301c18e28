import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { hostOf } from "../../../lab/host/host.ts";
import { nodeBinary, projectRoot } from "../../../lab/machine/paths.ts";
import { pulumiBinary } from "../../../lab/machine/tools/pulumi.ts";
import { pulumiEnvironment } from "../../../lab/stack/environment.ts";

/** The lab that these tests build and tear down, beside whatever else runs. */
export const instance = "e2e";

/** Every line that the engine and the lab print goes here: searched for secrets at the end. */
export const saidFile = join(tmpdir(), `regwarden-${instance}-said.log`);

export interface Ended {
  readonly exitCode: number;
  /** Standard output and error together, in order. */
  readonly output: string;
}

/** Runs a program of this project as an npm script would, to its end. */
async function program(
  path: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const options = {
    cwd: projectRoot,
    reject: false,
    all: true,
    env: { REGWARDEN_LAB: instance, NO_COLOR: "1", ...env },
  };
  const { exitCode, all = "" } = await execa(nodeBinary, [path, ...args], options);
  appendFileSync(saidFile, `${all}\n`);
  return { exitCode: exitCode ?? -1, output: all };
}

/** `npm run lab -- ARGS` */
export const lab = (...args: string[]) => program("lab/main.ts", args);

/** `npm run OPERATION -- --stack e2e ARGS` */
export const engine = (operation: string, ...args: string[]) =>
  program("engine/main.ts", [operation, "--stack", instance, ...args]);

/** `npm run dns -- --stack e2e ARGS` */
export const dns = (...args: string[]) => program("engine/dns/main.ts", ["--stack", instance, ...args]);

/** `npm run adopt -- ARGS` */
export const adopt = (...args: string[]) => program("adopt/main.ts", args);

/** The Pulumi CLI itself in the lab's environment, for configuration and state. */
export async function pulumi(...args: string[]): Promise<string> {
  return await cli(args);
}

/** Sets a secret of the stack's configuration; it travels by standard input. */
export async function setSecret(name: string, value: string): Promise<void> {
  await cli(["config", "set", "--secret", `regwarden:${name}`], value);
}

/** Sets a text of more than one line, which begins with a dash as PEM does; it travels by standard input. */
export async function setText(name: string, value: string): Promise<void> {
  await cli(["config", "set", "--plaintext", `regwarden:${name}`], value);
}

async function cli(args: readonly string[], input = ""): Promise<string> {
  const options = { cwd: projectRoot, env: pulumiEnvironment(instance), input };
  const { stdout } = await execa(
    pulumiBinary(),
    [...args, "--stack", instance, "--non-interactive"],
    options,
  );
  return stdout;
}

/** Runs a command on the host; gives its output. Errors: throws when it fails. */
export async function onHost(command: string): Promise<string> {
  const host = await hostOf(instance);
  if (!host) throw new Error(`there is no host of the instance ${instance}`);
  const { exitCode, stdout, stderr } = await host.exec(command);
  if (exitCode !== 0) throw new Error(`${command}: exit ${exitCode}: ${stderr}`);
  return stdout;
}

/** Container id and start time by container name: they differ for a recreated, a restarted and an untouched one. */
export async function containers(): Promise<Map<string, string>> {
  const lines = await onHost(
    "docker ps -aq | xargs docker inspect --format '{{.Name}} {{.Id}} {{.State.StartedAt}}'",
  );
  return new Map(lines.split("\n").map((line) => [line.split(" ")[0]?.slice(1) ?? "", line]));
}

/** Names of the containers that are not the same any more. */
export function touched(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort();
}
