import { checkDeploymentCommand } from "../deployment/check-deployment/main.ts";
import { seedSentinelCommand } from "../deployment/seed-sentinel/main.ts";
import { exportCommand } from "../export/main.ts";
import { gcCommand } from "../gc/main.ts";
import { inUseCommand } from "../in-use/main.ts";
import { probeCommand } from "../probe/main.ts";
import { repairCommand } from "../repair/main.ts";
import { retainCommand } from "../retain/main.ts";
import { scanCommand } from "../scan/main.ts";
import { verifyCommand } from "../verify/main.ts";
import type { Command } from "./command.ts";

/** All that there are, in the order of the overview. */
export const commands: readonly Command[] = [
  scanCommand,
  repairCommand,
  retainCommand,
  gcCommand,
  exportCommand,
  probeCommand,
  verifyCommand,
  inUseCommand,
  seedSentinelCommand,
  checkDeploymentCommand,
];
