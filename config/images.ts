const DIGEST = /@sha256:[0-9a-f]{64}$/;
const FULL_VERSION = /^v?\d+\.\d+\.\d+([-.+_][\w.+-]*)?$/;
const REFERENCE = /^[a-z0-9][\w./:@-]*$/;

/**
 * Whether an image reference can only ever mean one image: a digest, or a tag that holds a full x.y.z version.
 * `latest`, `alpine`, `2` and `1.28` move on by themselves, and every pull may then bring another program.
 */
export function isPinnedImage(reference: string): boolean {
  if (!REFERENCE.test(reference)) return false;
  if (reference.includes("@")) return DIGEST.test(reference);
  const lastPart = reference.slice(reference.lastIndexOf("/") + 1);
  const [name, tag, ...rest] = lastPart.split(":");
  return name !== "" && rest.length === 0 && tag !== undefined && FULL_VERSION.test(tag);
}
