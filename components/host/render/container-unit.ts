import { dockerClientSandbox } from "./hardening.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { removeContainer } from "./sandbox.ts";

interface ContainerUnit {
  readonly description: string;
  /** Name of the container, which a killed run may have left. */
  readonly container: string;
  /** `docker run`, without the directory of docker. */
  readonly command: string;
  /** As systemd.time(7) has it. */
  readonly timeout: string;
}

/** A unit that runs a program once in a container of its own, and leaves none however it ends. */
export function containerUnit({ description, container, command, timeout }: ContainerUnit): string {
  const clear = removeContainer(container);
  return `# ${MANAGED_BY}
[Unit]
Description=${description}
After=docker.service
Requires=docker.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStartPre=-${clear}
ExecStart=/usr/bin/${command}
ExecStopPost=-${clear}
TimeoutStartSec=${timeout}

${dockerClientSandbox}`;
}
