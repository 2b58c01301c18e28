import { createHash } from "node:crypto";
import { Client } from "ssh2";
import { hostKeyTypes } from "../config/known-hosts.ts";
import { HostError } from "../provider/errors.ts";

const dialLimitMilliseconds = 15_000;

/**
 * The host key that a host shows, `TYPE BASE64`. Nothing is sent to it: the handshake ends before any account is named.
 * That it is the right one, only its fingerprint says.
 *
 * Errors: E_HOST_UNREACHABLE; E_HOST_KEY where it has no key of a type that the stack takes.
 */
export function shownHostKey(address: string, port: number): Promise<string> {
  const name = `${address}:${port}`;
  return new Promise((resolve, reject) => {
    const client = new Client();
    let shown: Buffer | undefined;
    client.once("error", (error) => {
      client.on("error", () => {});
      client.destroy();
      if (shown !== undefined) return resolve(`${typeOf(shown)} ${shown.toString("base64")}`);
      const hasNone = /no matching host key format|host key format/i.test(error.message);
      const text = hasNone
        ? `${name}: the host has no key of type ${hostKeyTypes.join(", ")}; make one there: ssh-keygen -A`
        : `${name}: cannot connect: ${error.message}. Check the address, the port, the firewall and that sshd runs.`;
      reject(new HostError(hasNone ? "E_HOST_KEY" : "E_HOST_UNREACHABLE", text, { cause: error }));
    });
    client.connect({
      host: address,
      port,
      username: "nobody",
      readyTimeout: dialLimitMilliseconds,
      algorithms: { serverHostKey: [...hostKeyTypes] },
      hostVerifier: (blob: Buffer) => {
        shown = blob;
        return false;
      },
    });
  });
}

/** As `ssh-keygen -lf` prints it. Source: RFC 4253, section 6.6, for the blob. */
export function fingerprintOf(hostKey: string): string {
  const blob = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/**
 * The key to connect with: as given, or the shown one whose fingerprint was given, or which a person confirms.
 *
 * Errors: E_HOST_KEY where the shown key has another fingerprint, or is not confirmed.
 */
export async function verifiedHostKey(
  host: { readonly address: string; readonly port: number },
  given: string | undefined,
  confirm: (fingerprint: string) => Promise<boolean>,
  shown = shownHostKey,
): Promise<string> {
  if (given !== undefined && !given.startsWith("SHA256:")) return given;
  const key = await shown(host.address, host.port);
  const fingerprint = fingerprintOf(key);
  const name = `${host.address}:${host.port}`;
  if (given !== undefined) {
    if (given.replace(/=+$/, "") === fingerprint) return key;
    throw new HostError(
      "E_HOST_KEY",
      `${name}: the host key does not match, nothing was sent. Expected ${given}, got ${fingerprint} (${key.split(" ")[0]}).`,
    );
  }
  if (await confirm(fingerprint)) return key;
  throw new HostError(
    "E_HOST_KEY",
    `${name}: its host key ${fingerprint} (${key.split(" ")[0]}) was not confirmed, nothing was sent. ` +
      "Compare it on the VM's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then give it: --host-key.",
  );
}

function typeOf(blob: Buffer): string {
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("ascii");
}
