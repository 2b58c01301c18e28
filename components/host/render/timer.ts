import { MANAGED_BY } from "./managed-by.ts";

/** The text of a systemd timer that starts at boot: what it is for, and the lines of its section [Timer]. */
export function timerUnit(description: string, ...lines: readonly string[]): string {
  return `# ${MANAGED_BY}
[Unit]
Description=${description}

[Timer]
${lines.join("\n")}

[Install]
WantedBy=timers.target
`;
}
