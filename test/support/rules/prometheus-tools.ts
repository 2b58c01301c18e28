import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { dump } from "js-yaml";
import { ensurePackages } from "../../../lab/machine/packages.ts";
import { type Service, startService } from "../server/service.ts";
import { RULES } from "./rendered-rules.ts";

/** The real promtool and Prometheus, from packages. */

const run = promisify(execFile);

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
  await writeFile(join(directory, "rules.yaml"), dump(RULES));
  return directory;
}

/** A Prometheus that has loaded the rendered rules. */
export async function startPrometheus(): Promise<Service> {
  await ensurePackages({}, ["prometheus"]);
  const directory = await directoryWithRules();
  const config = join(directory, "prometheus.yml");
  await writeFile(config, dump({ rule_files: [join(directory, "rules.yaml")] }));
  return startService(directory, "prometheus", (address) => [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, "data")}`,
    `--web.listen-address=${address}`,
  ]);
}
