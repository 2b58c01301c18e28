/** Environment variables that the stack gives to the programs, in pods and on the VM. */
export const variables = {
  registryUrl: "REGISTRY_URL",
  /** What clients call the registry, HOST:PORT. */
  registryInstance: "REGISTRY_INSTANCE",
  registryUser: "REG_USER",
  registryPassword: "REG_PASS",
  /** Account of the registry that a repair copies from. */
  sourceUser: "FROM_USER",
  sourcePassword: "FROM_PASS",
  sentinelRepository: "SENTINEL_REPOSITORY",
  pushgateway: "PUSHGATEWAY",
  /** File with a private authority; read by Node itself. */
  authorityFile: "NODE_EXTRA_CA_CERTS",
} as const;
