/** The two parts of a stack, each of which can be applied while the other cannot be reached. */
export const stackParts = ["host", "cluster"] as const;
export type StackPart = (typeof stackParts)[number];

/** By part: the components' first words, and the provider that they use. */
const providers: Readonly<Record<StackPart, string>> = { host: "host", cluster: "kubernetes" };

/**
 * The engine's targets for one part: its components with all below them, and its provider. Nothing else is read,
 * changed or connected to.
 *
 * Source: pulumi pkg/resource/deploy/deployment.go (UrnTargets): `*` is any text without a colon, `**` any text.
 */
export function targetsOf(part: StackPart): string[] {
  const inStack = "urn:pulumi:*::*::";
  return [`${inStack}registry:${part}:**`, `${inStack}pulumi:providers:${providers[part]}::**`];
}

/** Which part a resource belongs to; undefined for what belongs to the stack as such. */
export function partOf(urn: string): StackPart | undefined {
  const [, , types = ""] = urn.split("::");
  return stackParts.find(
    (part) => types.startsWith(`registry:${part}:`) || types === `pulumi:providers:${providers[part]}`,
  );
}
