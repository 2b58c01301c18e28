import * as v from "valibot";
import type { Answer } from "../../http/exchange.ts";

const schema = v.object({
  errors: v.pipe(v.array(v.object({ code: v.string(), detail: v.optional(v.unknown()) })), v.minLength(1)),
});

/**
 * What a registry says of itself by a 500. `storage`: it could not read what it keeps, which may pass. `content`: what it
 * read is no manifest. `link`: it can make no sense of what it read, mostly a link.
 */
export type RegistryFault = "storage" | "content" | "link";

/**
 * The fault that a 500 of a registry names; undefined of any other answer, such as that of a proxy or of a server that is
 * starting.
 *
 * Source: distribution v2.8.3, registry/handlers/errors.go and registry/storage/driver/base/base.go: whatever the
 * storage driver fails with carries the driver's name, or the failed call. A manifest that is no JSON has the position
 * of its fault; a link that is no digest has nothing.
 */
export function registryFault({ status, body }: Answer): RegistryFault | undefined {
  if (status !== 500) return undefined;
  const details = parseDetails(body);
  if (!details) return undefined;
  if (details.some((detail) => ["DriverName", "driver", "Op"].some((name) => hasField(detail, name))))
    return "storage";
  return details.some((detail) => hasField(detail, "Offset")) ? "content" : "link";
}

/** Whether the same question may be answered otherwise in a moment. */
export function mayPass(answer: Answer): boolean {
  if (answer.status !== 429 && answer.status < 500) return false;
  const fault = registryFault(answer);
  return fault === undefined || fault === "storage";
}

function parseDetails(body: Uint8Array): readonly unknown[] | undefined {
  try {
    const { errors } = v.parse(schema, JSON.parse(new TextDecoder().decode(body)));
    return errors.map(({ detail }) => detail);
  } catch {
    return undefined;
  }
}

function hasField(detail: unknown, name: string): boolean {
  return typeof detail === "object" && detail !== null && Object.hasOwn(detail, name);
}
