import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "../../provider/resources.ts";
import { type OpenStack, openStack } from "../open-stack.ts";

/** A program's way to say how hosts are reached: it reads configuration and secrets, and declares nothing. */
export type ConnectionsProgram = () => Promise<Readonly<Record<string, ConnectionArgs>>>;

/**
 * How each host is reached, by name, with the secrets in clear: for this process alone. They are read as an update reads
 * them, by a preview that ends there, so configuration and Vault have one reader.
 *
 * Errors: StackError, and whatever the program finds wrong.
 */
export async function readConnections(
  stack: string,
  directory: string,
  connections: ConnectionsProgram,
): Promise<Readonly<Record<string, unknown>>> {
  let found: Readonly<Record<string, unknown>> | undefined;
  const program = async () => {
    const all = Object.entries(await connections());
    const read = all.map(async ([name, each]) => [name, await settled(pulumi.output(each))] as const);
    found = Object.fromEntries(await Promise.all(read));
    // A program that fails ends the preview before anything is planned for what the state holds.
    throw new Error("what was wanted is read");
  };
  const errors: string[] = [];
  const open: OpenStack = await openStack(stack, "preview", { program, directory }, () => {});
  try {
    await open.stack.preview({
      color: "never",
      onEvent: ({ diagnosticEvent }) => {
        const { severity, message = "" } = diagnosticEvent ?? {};
        if (severity === "error") errors.push(message.replaceAll(/<\{%.*?%\}>/g, "").trim());
      },
    });
  } catch (cause) {
    if (found !== undefined) return found;
    if (errors.length === 0) throw cause;
    // The engine reports one again as it ends.
    throw new Error([...new Set(errors)].join("\n"), { cause });
  }
  throw new Error("the preview that reads the configuration ended without reading it");
}

function settled<T>(output: pulumi.Output<T>): Promise<unknown> {
  return new Promise((resolve) => output.apply(resolve));
}
