import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { writeAtomically } from "./files.ts";
import { findCommand } from "./paths.ts";
import { run } from "./run.ts";

/** Program that a package's scripts run before they start a service; exit code 101 forbids it. Source: Debian, invoke-rc.d(8). */
const policyFile = "/usr/sbin/policy-rc.d";

/** The policy: everything may start but these services. */
export function servicePolicy(services: readonly string[]): string {
  const refused = services.map((service) => `${service} | ${service}.service`).join(" | ");
  return `#!/bin/sh\n# Written by the regwarden lab while it installs packages.\ncase $1 in\n  ${refused}) exit 101 ;;\nesac\n`;
}

/** A package enables its service for the next boot whatever the policy says. */
async function switchOff(services: readonly string[]): Promise<void> {
  if (findCommand("systemctl") === undefined) return;
  for (const service of services)
    await run(["systemctl", "disable", service], { quiet: true, accept: [0, 1, 4, 5] });
}

/**
 * Installs packages whose services must neither start now nor at the next boot. A policy that the machine has already
 * is left as it is: its author decides what may start.
 */
export async function withoutServices(
  services: readonly string[],
  install: () => Promise<void>,
): Promise<void> {
  if (services.length === 0) return install();
  const isOurs = !existsSync(policyFile);
  if (isOurs) writeAtomically(policyFile, servicePolicy(services), 0o755);
  try {
    await install();
  } finally {
    if (isOurs) await rm(policyFile, { force: true });
    await switchOff(services);
  }
}
