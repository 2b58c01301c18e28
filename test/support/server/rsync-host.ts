import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import ssh2 from "ssh2";
import { keyPair } from "../lab/key-pair.ts";
import { runInShell } from "./run-in-shell.ts";

/** Another machine, as ssh and rsync see it: it runs what it is asked to, for those whose key it knows. */
export interface RsyncHost {
  readonly port: number;
  /** `TYPE BASE64` */
  readonly hostKey: string;
  /** Lets the owner of a public key in, as a line in authorized_keys does. */
  readonly authorize: (publicKey: string) => void;
  readonly stop: () => Promise<void>;
}

export async function startRsyncHost(address = "127.0.0.1"): Promise<RsyncHost> {
  const { file, publicKey } = keyPair();
  const known = new Set<string>();
  const server = new ssh2.Server({ hostKeys: [readFileSync(file)] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (attempt) => {
      const isKnown = attempt.method === "publickey" && known.has(attempt.key.data.toString("base64"));
      if (isKnown) attempt.accept();
      else attempt.reject(["publickey"]);
    });
    client.on("session", (accept) => {
      accept().on("exec", (acceptCommand, _reject, { command }) => {
        runInShell(command, acceptCommand());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    hostKey: publicKey.split(" ").slice(0, 2).join(" "),
    authorize: (key) => known.add(key.split(" ")[1] ?? ""),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
