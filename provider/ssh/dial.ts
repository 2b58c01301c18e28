import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { HostError, messageOf } from "../errors.ts";
import { type Connection, type Hop, parseHostKey } from "./connection-config.ts";

const keepAliveMilliseconds = 10_000;
/** Of `close` events: one for each command that runs, and some to spare. */
const listenersAtOnce = 32;

/** One attempt to connect. Errors: E_HOST_KEY, E_HOST_AUTHENTICATION, or E_HOST_UNREACHABLE, which alone is worth another. */
export async function dial(connection: Connection): Promise<Client> {
  const { proxy } = connection;
  if (proxy === undefined) return await attempt(connection, "host");
  const way = await attempt(proxy, "host.proxy");
  try {
    const client = await attempt(connection, "host", await forward(way, connection, proxy));
    client.once("close", () => way.end());
    return client;
  } catch (error) {
    way.end();
    throw error;
  }
}

/** `USER@HOST:PORT`, for messages. */
export function nameOf({ user, host, port }: Hop): string {
  return `${user}@${host}:${port}`;
}

async function attempt(hop: Hop, key: string, socket?: ClientChannel): Promise<Client> {
  try {
    return await openClient(hop, socket);
  } catch (error) {
    throw explain(error, hop, key);
  }
}

/** A way to the host's port from the host before it. */
function forward(way: Client, { host, port }: Hop, proxy: Hop): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    way.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      if (!error) return resolve(channel);
      const message = `${nameOf(proxy)} (host.proxy) cannot connect to ${host}:${port}: ${error.message}. Check the address, the port, the firewall between them, and AllowTcpForwarding of its sshd.`;
      reject(new HostError("E_HOST_UNREACHABLE", message, { cause: error }));
    });
  });
}

function openClient(connection: Hop, socket: ClientChannel | undefined): Promise<Client> {
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
      algorithms: { serverHostKey: [key.type as ServerHostKeyAlgorithm] },
      hostVerifier: (blob: Buffer) => {
        presented = blob.toString("base64");
        return presented === key.base64;
      },
    };
    if (socket) config.sock = socket;
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
      // A connection that is reset during the handshake gives a second error when it closes.
      client.on("error", () => {});
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

/** `key`: the configuration's key with the settings of this connection. */
function explain(error: unknown, connection: Hop, key: string): HostError {
  const name = nameOf(connection);
  const text = messageOf(error);
  if (error instanceof PresentedKey) {
    return new HostError(
      "E_HOST_KEY",
      `${name}: the host key does not match, nothing was sent. Expected ${connection.hostKey.trim()}, got ${error.base64}. ` +
        `If the machine was reinstalled, check its key on its console and set the new one (${key}.hostKey); otherwise another machine answers for it.`,
      { cause: error },
    );
  }
  if (/no matching host key format|host key format/i.test(text)) {
    return new HostError(
      "E_HOST_KEY",
      `${name}: the host has no key of type ${parseHostKey(connection.hostKey).type}. Expected the key that ${key}.hostKey gives.`,
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
