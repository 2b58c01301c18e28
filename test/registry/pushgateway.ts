import { spawn } from "node:child_process";
import { once } from "node:events";
import { ensurePackages } from "../../lab/packages.ts";
import { findCommand } from "../../lab/paths.ts";
import { freePort } from "../free-port.ts";
import { waitFor } from "./registry.ts";

/** A real Pushgateway on this machine. */
export interface Pushgateway {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** What Prometheus would read. */
  readonly read: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startPushgateway(): Promise<Pushgateway> {
  await ensurePackages({}, ["prometheus-pushgateway"]);
  const binary = findCommand("prometheus-pushgateway") ?? "";
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  // Without a file: the package's default is one that outlives the test.
  const flags = [`--web.listen-address=${address}`, "--persistence.file="];
  const child = spawn(binary, flags, { stdio: "ignore" });
  await waitFor(`the Pushgateway at ${url}`, async () => {
    if (child.exitCode !== null) throw new Error(`the Pushgateway ended with ${child.exitCode}`);
    return (await fetch(`${url}/-/ready`)).ok;
  });
  return {
    url,
    read: async () => (await fetch(`${url}/metrics`)).text(),
    stop: async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}
