/** What no oneshot service of ours needs, whatever it does. Source: systemd.exec(5), "Sandboxing". */
const COMMON: Readonly<Record<string, string>> = {
  NoNewPrivileges: "yes",
  PrivateDevices: "yes",
  PrivateTmp: "yes",
  ProtectControlGroups: "yes",
  ProtectKernelModules: "yes",
  ProtectKernelTunables: "yes",
  ProtectSystem: "strict",
  RestrictSUIDSGID: "yes",
};

/** The lines of a service that is kept from all that it does not need: what is common to all, and its own. */
export function hardening(own: Readonly<Record<string, string>>): string {
  return Object.entries({ ...COMMON, ...own })
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

/** Of a service that only runs Docker's client, which needs the engine's socket and nothing else. */
export const dockerClientSandbox = `# This is only Docker's client: it needs the engine's socket and nothing else.
${hardening({
  CapabilityBoundingSet: "",
  LockPersonality: "yes",
  PrivateNetwork: "yes",
  ProtectHome: "tmpfs",
  RestrictAddressFamilies: "AF_UNIX",
})}
`;
