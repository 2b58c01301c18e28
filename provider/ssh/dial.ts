import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { HostError } from "../errors.ts";
import { type Connection, parseHostKey } from "./connection-config.ts";

const keepAliveMilliseconds = 10_000;
/** Of `close` events: one for each command that runs, and some to spare. */
const listenersAtOnce = 32;

/** One attempt to connect. Errors: E_HOST_KEY, E_HOST_AUTHENTICATION, or E_HOST_UNREACHABLE, which alone is worth another. */
export async function dial(connection: Connection, name: string): Promise<Client> {
  try {
    return await openClient(connection);
  } catch (error) {
    throw explain(error, connection, name);
  }
}

function openClient(connection: Connection): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.setMaxListeners(listenersAtOnce);
    const key = parseHostKey(connection.hostKey);
    let presented: string | undefined;
    const config: ConnectConfig = {
      host: connection.host,
      port: connection.port,
      username: connection.user,
      readyTimeout: connection.perDialTimeout * 1000,
      keepaliveInterval: keepAliveMilliseconds,
      algorithms: { serverHostKey: signatureAlgorithms(key.type) },
      hostVerifier: (blob: Buffer) => {
        presented = blob.toString("base64");
        return presented === key.base64;
      },
    };
    if (connection.privateKey) {
      config.privateKey = connection.privateKey;
      if (connection.privateKeyPassword) config.passphrase = connection.privateKeyPassword;
    } else {
      const agent = connection.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
      if (agent) config.agent = agent;
    }
    client.once("ready", () => {
      client.removeAllListeners("error");
      // What waits on a channel learns of it by the close that follows.
      client.on("error", () => {});
      resolve(client);
    });
    client.once("error", (error) => {
      client.destroy();
      reject(presented !== undefined && presented !== key.base64 ? new PresentedKey(presented) : error);
    });
    try {
      client.connect(config);
    } catch (error) {
      reject(error);
    }
  });
}

/** The host showed another key than the one we were given. */
class PresentedKey extends Error {
  readonly base64: string;

  constructor(base64: string) {
    super("the host presented another key");
    this.base64 = base64;
  }
}

/** RSA keys sign with SHA-2 (RFC 8332); for all other types the algorithm has the key type's name. */
function signatureAlgorithms(type: string): ServerHostKeyAlgorithm[] {
  return (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]) as ServerHostKeyAlgorithm[];
}

function explain(error: unknown, connection: Connection, name: string): HostError {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof PresentedKey) {
    return new HostError(
      "E_HOST_KEY",
      `${name}: the host key does not match, nothing was sent. Expected ${connection.hostKey.trim()}, got ${error.base64}. ` +
        "If the machine was reinstalled, check its key on its console and set the new one (host.hostKey); otherwise another machine answers for it.",
      { cause: error },
    );
  }
  if (/no matching host key format|host key format/i.test(text)) {
    return new HostError(
      "E_HOST_KEY",
      `${name}: the host has no key of type ${parseHostKey(connection.hostKey).type}. Expected the key that host.hostKey gives.`,
      { cause: error },
    );
  }
  if (/authentication|private ?key|passphrase|agent/i.test(text)) {
    return new HostError(
      "E_HOST_AUTHENTICATION",
      `${name}: the host does not accept the SSH key (${text}). ${
        connection.privateKey ? "Tried the given private key" : "Tried the SSH agent"
      }; check that its public key is in the account's authorized_keys.`,
      { cause: error },
    );
  }
  return new HostError(
    "E_HOST_UNREACHABLE",
    `${name}: cannot connect: ${text}. Check the address, the port, the firewall and that sshd runs.`,
    { cause: error },
  );
}
