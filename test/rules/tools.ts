import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { ensurePackages } from "../../lab/packages.ts";
import { freePort } from "../free-port.ts";
import { RULES } from "./rendered.ts";

/** The real promtool, Prometheus and Pushgateway, from packages. */

const run = promisify(execFile);
const startLimitMilliseconds = 30_000;

export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs `promtool`; a rejection by it is a result and no error. */
export async function promtool(...args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run("promtool", [...args], { timeout: 120_000 });
    return { exitCode: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { exitCode: code, output: `${stdout}${stderr}` };
  }
}

/** A directory with the rendered rules as `rules.yaml`. */
export async function directoryWithRules(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "regwarden-rules-"));
  await writeFile(join(directory, "rules.yaml"), stringify(RULES));
  return directory;
}

export interface Service {
  /** Base URL. */
  readonly url: string;
  /** Stops it and removes what it wrote. */
  readonly stop: () => Promise<void>;
}

/** A Prometheus that has loaded the rendered rules. */
export async function startPrometheus(): Promise<Service> {
  await ensurePackages({}, ["prometheus"]);
  const directory = await directoryWithRules();
  const config = join(directory, "prometheus.yml");
  await writeFile(config, stringify({ rule_files: [join(directory, "rules.yaml")] }));
  return startService(directory, "prometheus", (address) => [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, "data")}`,
    `--web.listen-address=${address}`,
  ]);
}

export async function startPushgateway(): Promise<Service> {
  await ensurePackages({}, ["prometheus-pushgateway"]);
  const directory = await mkdtemp(join(tmpdir(), "regwarden-pushgateway-"));
  return startService(directory, "prometheus-pushgateway", (address) => [`--web.listen-address=${address}`]);
}

async function startService(
  directory: string,
  command: string,
  flags: (address: string) => string[],
): Promise<Service> {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(command, flags(address), { stdio: "ignore" });
  const url = `http://${address}`;
  const deadline = Date.now() + startLimitMilliseconds;
  for (;;) {
    const isReady = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) break;
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    if (Date.now() > deadline)
      throw new Error(`${command} was not ready within ${startLimitMilliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
    await rm(directory, { recursive: true, force: true });
  };
  return { url, stop };
}
