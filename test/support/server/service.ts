import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePackages } from "../../../lab/machine/packages.ts";
import { findCommand } from "../../../lab/machine/paths.ts";
import { freePort } from "./free-port.ts";
import { becomesReady, endProcess } from "./running.ts";

const startLimitSeconds = 30;

/** A real program from a package that serves HTTP on this machine. */
export interface Service {
  /** Base URL. */
  readonly url: string;
  /** Stops it and removes what it wrote. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a program of the Prometheus project, and waits until it says that it is ready. `directory` is what it may write
 * to; it goes when the program is stopped.
 */
export async function startService(
  directory: string,
  command: string,
  flags: (address: string) => string[],
): Promise<Service> {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(findCommand(command) ?? command, flags(address), { stdio: "ignore" });
  const url = `http://${address}`;
  await becomesReady(command, startLimitSeconds, [child], async () => (await fetch(`${url}/-/ready`)).ok);
  const stop = async () => {
    await endProcess(child);
    await rm(directory, { recursive: true, force: true });
  };
  return { url, stop };
}

/** A Pushgateway with nothing in it. */
export async function startPushgateway(): Promise<Service> {
  await ensurePackages({}, ["prometheus-pushgateway"]);
  const directory = await mkdtemp(join(tmpdir(), "regwarden-pushgateway-"));
  // Debian's keeps what it is given in a file of the machine, unless it is given another.
  const keep = `--persistence.file=${join(directory, "metrics")}`;
  return startService(directory, "prometheus-pushgateway", (address) => [
    `--web.listen-address=${address}`,
    keep,
  ]);
}
