/** Which blobs are read to their end and compared with their digests; manifests always are. */
export type Verification = "manifests" | "configs" | "layers";

/** What `--verify-digests` and `--verify-layers` ask for. */
export function verificationOf(given: {
  readonly "verify-digests": boolean;
  readonly "verify-layers": boolean;
}): Verification {
  if (given["verify-layers"]) return "layers";
  return given["verify-digests"] ? "configs" : "manifests";
}
