import type { Digest } from "../../../../scripts/registry/digest.ts";
import {
  attestation,
  type Content,
  digest,
  dockerList,
  image,
  imageOf,
  index,
  layer,
  signature,
} from "../../images/oci-content.ts";

/** What lies in the store before anything is damaged. */

export const blobOf = ({ parts }: Content, position: number): Digest => digest(parts[position] as Content);

export const amd64 = image("amd64", "linux/amd64");
export const arm64 = image("arm64", "linux/arm64/v8");
export const proof = attestation(amd64);
export const multi = index([amd64, arm64, proof]);
export const plain = index([amd64], { saysMediaType: false });
export const docker = image("docker", "linux/amd64", "docker");
export const list = dockerList([docker]);
export const inner = index([image("inner", "linux/amd64")]);
export const outer = index([inner]);
export const signed = image("signed", "linux/amd64");
export const sign = signature(signed);
export const referrers = index([sign]);
/** Its layer was pushed by another algorithm's digest. */
export const long = imageOf("linux/amd64", [layer("long", "oci", "sha512")]);

/** Tags that stand in for the referrers API. */
export const fallbackTag = digest(signed).replace(":", "-");
export const cosignTag = `${fallbackTag}.sig`;

/** What is pushed before anything is damaged: repository, tag, content. */
export const contents: readonly (readonly [repository: string, tag: string, content: Content])[] = [
  ["app", "1", multi],
  ["app", "latest", multi],
  ["app", "single", amd64],
  ["list", "1", list],
  ["long", "1", long],
  ["nested", "1", outer],
  ["plain", "1", plain],
  ["signed", "1", signed],
  ["signed", fallbackTag, referrers],
  ["signed", cosignTag, sign],
];
