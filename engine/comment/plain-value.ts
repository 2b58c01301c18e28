/** What stands for a value that no comment may show. */
export const hiddenSecret = "[secret]";

const notYetKnown = "(known after the update)";

/**
 * Marks of the engine's wire format. Source: pulumi sdk/go/common/resource/sig/sig.go (signatures) and
 * sdk/go/common/resource/plugin/rpc.go (values that are not known yet).
 */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownValues: readonly unknown[] = [
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
];

/** Whether a value of an engine event is a secret, whatever else the event says of it. */
export function isSecret(value: unknown): boolean {
  return isObject(value) && value[signatureKey] === secretSignature;
}

/** A value of an engine event as people write it: secrets hidden, and without what providers keep for themselves. */
export function plainValue(value: unknown): unknown {
  if (unknownValues.includes(value)) return notYetKnown;
  if (Array.isArray(value)) return value.map(plainValue);
  if (!isObject(value)) return value;
  if (isSecret(value)) return hiddenSecret;
  if (signatureKey in value) return "(an asset or a resource)";
  const entries = Object.entries(value).filter(([key]) => !key.startsWith("__"));
  return Object.fromEntries(entries.map(([key, inner]) => [key, plainValue(inner)]));
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
