/** Names of an object, with the label and annotation that every object of the stack has. */
export interface Metadata {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/**
 * Lets an update take back a field that another field manager (kubectl, a controller) took over. Without it such an
 * edit fails the preview with an apply conflict: it would read "could not check", and is drift.
 */
export const PATCH_FORCE = { "pulumi.com/patchForce": "true" };

/** Metadata of a namespaced object. */
export function metadata(name: string, namespace: string, labels: Record<string, string> = {}): Metadata {
  return {
    name,
    namespace,
    labels: { "app.kubernetes.io/part-of": "regwarden", ...labels },
    annotations: { ...PATCH_FORCE },
  };
}

/** Metadata of an object that belongs to no namespace. */
export function clusterMetadata(
  name: string,
  labels: Record<string, string> = {},
): Omit<Metadata, "namespace"> {
  const { namespace: _, ...rest } = metadata(name, "", labels);
  return rest;
}

/** The stack's own namespace: only pods that pass Pod Security "restricted" get in. */
export function namespaceMetadata(name: string): Omit<Metadata, "namespace"> {
  return {
    name,
    labels: {
      "app.kubernetes.io/part-of": "regwarden",
      "istio-injection": "disabled",
      "pod-security.kubernetes.io/enforce": "restricted",
    },
    annotations: { ...PATCH_FORCE },
  };
}

/** Labels that were given as `KEY=VALUE`. */
export function labelsOf(texts: readonly string[]): Record<string, string> {
  const split = (text: string) => {
    const at = text.indexOf("=");
    return [text.slice(0, at), text.slice(at + 1)] as const;
  };
  return Object.fromEntries(texts.map(split));
}

/** A value in the form that a Secret's `data` has. */
export function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
