import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "../../provider/resources.ts";
import { type OpenStack, openStack } from "../open-stack.ts";

/** A program's way to say how hosts are reached: it reads configuration and secrets, and declares nothing. */
export type ConnectionsProgram = () => Promise<Readonly<Record<string, ConnectionArgs>>>;

/**
 * How each host is reached, by name, with the secrets in clear: for this process alone. They are read as an update reads
 * them, by a preview that looks at no resource, so configuration and Vault have one reader.
 *
 * Errors: StackError, and whatever the program finds wrong.
 */
export async function readConnections(
  stack: string,
  directory: string,
  connections: ConnectionsProgram,
): Promise<Readonly<Record<string, unknown>>> {
  let found: Readonly<Record<string, unknown>> = {};
  const program = async () => {
    const all = Object.entries(await connections());
    const read = all.map(async ([name, each]) => [name, await settled(pulumi.output(each))] as const);
    found = Object.fromEntries(await Promise.all(read));
  };
  const errors: string[] = [];
  const open: OpenStack = await openStack(stack, "preview", { program, directory }, () => {});
  try {
    await open.stack.preview({
      // Of what the state holds nothing is planned: no plugin is asked, no host reached.
      target: ["urn:pulumi:*::*::pulumi:pulumi:Stack::**"],
      color: "never",
      onEvent: ({ diagnosticEvent }) => {
        const { severity, message = "" } = diagnosticEvent ?? {};
        if (severity === "error") errors.push(message.replaceAll(/<\{%.*?%\}>/g, "").trim());
      },
    });
  } catch (cause) {
    if (errors.length === 0) throw cause;
    throw new Error(errors.join("\n"), { cause });
  }
  return found;
}

function settled<T>(output: pulumi.Output<T>): Promise<unknown> {
  return new Promise((resolve) => output.apply(resolve));
}
