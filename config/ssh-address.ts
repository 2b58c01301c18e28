import { isIPv4 } from "node:net";
import * as v from "valibot";
import { isDnsName, port } from "./formats.ts";
import { described, example, withDefault } from "./setting.ts";

/** How a host is reached by SSH. */

export const address = described(
  "the DNS name or IPv4 address of the host",
  v.pipe(
    v.string(),
    v.check((text) => isDnsName(text) || isIPv4(text)),
  ),
);
export const user = described(
  "a Unix user name; any but root needs passwordless sudo",
  v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]*$/)),
);
export const hostKey = described(
  "the host's public key, `TYPE BASE64`, compared with what the host itself shows; ssh-ed25519 or ecdsa, one of which every sshd makes for itself",
  v.pipe(v.string(), v.regex(/^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) AAAA[\w+/]+=*$/)),
);
/** A host from which another one is reached. */
export const proxy = v.strictObject({
  address: example(address, "bastion.example.com"),
  sshPort: withDefault(port, 22),
  sshUser: withDefault(user, "root"),
  hostKey: example(hostKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI..."),
});
