/** Types of host keys, best first. Not ssh-rsa: every sshd that the stack supports has a stronger one. */
export const hostKeyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
] as const;

const strength = (type: string) => hostKeyTypes.findIndex((known) => known === type);

/**
 * The key of a known_hosts entry, `TYPE BASE64`; the strongest when the text has several. Undefined when it has none.
 *
 * Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. Lines with a marker (@revoked, @cert-authority) are no host's key.
 */
export function hostKeyOf(knownHosts: string): string | undefined {
  const keys = knownHosts.split("\n").flatMap((line) => {
    const [names = "", type = "", key = ""] = line.trim().split(/\s+/);
    if (names.startsWith("@") || names.startsWith("#")) return [];
    return strength(type) !== -1 && /^AAAA[\w+/]+=*$/.test(key) ? [{ type, key }] : [];
  });
  const best = keys.sort((a, b) => strength(a.type) - strength(b.type))[0];
  return best && `${best.type} ${best.key}`;
}
