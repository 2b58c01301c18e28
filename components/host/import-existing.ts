import type * as pulumi from "@pulumi/pulumi";
import type { ExistingKind } from "../../contract/adoption.ts";
import { importable } from "./render/importable.ts";
import type { RegistrySettings } from "./settings.ts";

/** Kind of each resource type, with the property that is its id. */
const kinds: Readonly<Record<string, readonly [kind: ExistingKind, id: string]>> = {
  "host:index:Directory": ["directory", "path"],
  "host:index:File": ["file", "path"],
  "host:index:SystemdUnit": ["unit", "name"],
  "host:index:Image": ["image", "reference"],
  "host:index:ComposeProject": ["project", "project"],
};

/**
 * Imports what was on the host before the stack, so that a preview shows what is as declared as equal, and the rest with
 * its differences. `existing`: as KIND:NAME; what may hold a secret is never imported, whatever the list says.
 */
export function importExisting(
  settings: RegistrySettings,
  existing: readonly string[],
): pulumi.ResourceTransformation {
  const may = importable(settings);
  const listed = new Set(existing);
  return ({ type, props, opts }) => {
    const [kind, property = ""] = kinds[type] ?? [];
    const id: unknown = props[property];
    if (kind === undefined || typeof id !== "string") return undefined;
    if (!listed.has(`${kind}:${id}`) || !may[kind].includes(id)) return undefined;
    return { props, opts: { ...opts, import: id } };
  };
}
