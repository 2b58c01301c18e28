import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import ssh2 from "ssh2";
import { runInShell } from "./run-in-shell.ts";

/** This machine as a host: an SSH server on the loopback that runs commands in a shell, as this account. */
export interface ShellHost {
  readonly port: number;
  /** `TYPE BASE64`. */
  readonly hostKey: string;
  /** PEM text of a key that it accepts. */
  readonly privateKey: string;
  /** Command lines that were run. */
  readonly commands: readonly string[];
  readonly close: () => void;
}

/** Any key may come in: it listens on the loopback, for one test. */
export async function startShellHost(): Promise<ShellHost> {
  const pem = () =>
    generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "sec1", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    }).privateKey;
  const [serverKey, privateKey] = [pem(), pem()];
  const commands: string[] = [];
  const server = new ssh2.Server({ hostKeys: [serverKey] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (context) =>
      context.method === "publickey" ? context.accept() : context.reject(["publickey"]),
    );
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        commands.push(command);
        runInShell(command, acceptExec());
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const key = ssh2.utils.parseKey(serverKey);
  if (key instanceof Error) throw key;
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: `${key.type} ${key.getPublicSSH().toString("base64")}`,
    privateKey,
    commands,
    close: () => server.close(),
  };
}
