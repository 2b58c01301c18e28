import { once } from "node:events";
import type { AddressInfo } from "node:net";
import ssh2 from "ssh2";
import { runInShell } from "./run-in-shell.ts";

/** An SSH server of this machine that runs each command here, as this account. */
export interface SshServer {
  readonly port: number;
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: string;
  /** Ends it with its connections. {@link startSshServer} may start it again on the same port. */
  readonly stop: () => Promise<void>;
}

/** A key pair that server and client may share: no test asks who it is. */
export interface SshKeyPair {
  readonly private: string;
  readonly public: string;
}

export function makeSshKeyPair(): SshKeyPair {
  const pair = ssh2.utils.generateKeyPairSync("ed25519");
  return { private: pair.private, public: pair.public.split(" ").slice(0, 2).join(" ") };
}

/** `port`: 0 takes a free one. */
export async function startSshServer(key: SshKeyPair, port = 0): Promise<SshServer> {
  const clients = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
    clients.add(client);
    client.on("error", () => {});
    client.on("close", () => clients.delete(client));
    client.on("authentication", (context) => context.accept());
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        runInShell(command, acceptExec());
      });
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: key.public,
    stop: async () => {
      for (const client of clients) client.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
