/**
 * The images that a stack runs unless its configuration names others. Each with a full version: one that moves could
 * bring another program with any pull.
 */
export const pinnedImages = {
  registry: "registry:2.8.3",
  nginx: "nginx:1.28.0-alpine",
  ui: "joxit/docker-registry-ui:2.5.7",
  /** Runs the programs, on the VM and in the cluster. */
  node: "node:24.21.0-bookworm-slim",
  rclone: "rclone/rclone:1.74.3",
} as const;
