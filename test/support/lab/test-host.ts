import { readFileSync } from "node:fs";
import { afterAll } from "vitest";
import { ensureHost, type LabHost } from "../../../lab/host/host.ts";
import { ensureImages } from "../../../lab/images/stack-images.ts";
import { type Connection, parseConnection } from "../../../provider/ssh/connection-config.ts";
import { SshHost } from "../../../provider/ssh/host.ts";

/** The VM-like host that all tests of this folder share, one file at a time. */
export interface TestHost {
  readonly lab: LabHost;
  /** A connection as root. */
  readonly root: SshHost;
  /** A connection as an account with passwordless sudo. */
  readonly deploy: SshHost;
  connection(changes?: Partial<Connection>): Connection;
  /** Runs a command on the host by another way than the code under test; gives its output without the last newline. */
  sh(command: string): Promise<string>;
}

/** Boots or finds the host. `images` asks for the pinned images in its Docker engine too. */
export async function testHost({ images = false } = {}): Promise<TestHost> {
  const lab = await ensureHost("test");
  if (images) await ensureImages(lab);
  const privateKey = readFileSync(lab.privateKeyFile, "utf8");
  const plain = { host: lab.address, port: lab.sshPort, hostKey: lab.hostKey, privateKey, dialErrorLimit: 1 };
  const connection = (changes: Partial<Connection> = {}) => parseConnection({ ...plain, ...changes });
  const root = new SshHost(connection());
  const deploy = new SshHost(connection({ user: "deploy" }));
  afterAll(async () => {
    await root.close();
    await deploy.close();
  });
  const sh = async (command: string) => {
    const { exitCode, stdout, stderr } = await lab.exec(command);
    if (exitCode !== 0) throw new Error(`${command}: exit ${exitCode}: ${stderr}`);
    return stdout;
  };
  return { lab, root, deploy, connection, sh };
}
