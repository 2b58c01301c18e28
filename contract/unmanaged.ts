import * as v from "valibot";

/**
 * What lies on the host beside what is declared: found by the provider's resource `Unmanaged`, printed and counted by a
 * drift run. Nothing of it is ever changed or removed.
 */
export const unmanagedKinds = ["file", "container", "unit", "job", "port"] as const;
export type UnmanagedKind = (typeof unmanagedKinds)[number];

/** Kinds that a configuration may allow. A job that destroys images is never allowed. */
export const allowableKinds = [
  "file",
  "container",
  "unit",
  "port",
] as const satisfies readonly UnmanagedKind[];

/** Type token of the resource, by which a drift run finds its outputs. */
export const unmanagedType = "host:index:Unmanaged";

const thing = v.object({
  /** Path, container, unit, `FILE:LINE`, or `PORT/tcp`. */
  name: v.string(),
  detail: v.string(),
});

const part = v.object({
  kind: v.picklist(unmanagedKinds),
  found: v.array(thing),
  /** Why this part could not be checked; then nothing is known of it. */
  unchecked: v.optional(v.string()),
});

/** Outputs of the resource as far as a drift run reads them. */
export const unmanagedSchema = v.object({ parts: v.array(part) });

export type UnmanagedThing = v.InferOutput<typeof thing>;
export type UnmanagedPart = v.InferOutput<typeof part>;
