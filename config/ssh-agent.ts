import { statSync } from "node:fs";
import type { Fault } from "./faults.ts";

/** What decides whether an SSH agent is asked. */
export interface AgentUse {
  /** `host.agentSocketPath`. */
  readonly configured: string | undefined;
  /** SSH_AUTH_SOCK of the environment. */
  readonly inherited: string | undefined;
  /** Whether a private key is given: then no agent is asked. */
  readonly hasKey: boolean;
}

/** An agent that the configuration names must be one, also beside a private key; the environment's where it is asked. */
export function agentFaults({ configured, inherited, hasKey }: AgentUse, isSocket = isSocketAt): Fault[] {
  const key = "host.agentSocketPath";
  if (configured !== undefined) {
    if (isSocket(configured)) return [];
    const rule = "the socket of an SSH agent that runs on this machine: there is none at this path";
    return [{ key, value: JSON.stringify(configured), rule, example: 'start it: eval "$(ssh-agent)"' }];
  }
  if (hasKey) return [];
  if (inherited) {
    if (isSocket(inherited)) return [];
    const rule = `set, or SSH_AUTH_SOCK of the environment one: there is no socket at ${inherited}`;
    return [{ key, value: "(missing)", rule, example: "unset SSH_AUTH_SOCK" }];
  }
  const rule = "set, or SSH_AUTH_SOCK of the environment, or the secret regwarden:sshPrivateKey";
  const example = "pulumi config set --secret regwarden:sshPrivateKey < id_ed25519";
  return [{ key, value: "(missing)", rule, example }];
}

function isSocketAt(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}
