import type { FindingFacts } from "../../contract/finding.ts";

/** `Tag a`, or `Tags a, b`; of many tags the first few, as the finding itself holds all. */
export function listTags(tags: readonly string[]): string {
  const shown = tags.slice(0, 5).join(", ");
  const rest = tags.length > 5 ? ` and ${tags.length - 5} more` : "";
  return `${tags.length === 1 ? "Tag" : "Tags"} ${shown}${rest}`;
}

/** What a bad manifest or blob breaks. */
export function brokenBy({
  tags,
  severity,
  platform,
}: Pick<FindingFacts, "tags" | "severity" | "platform">): string {
  const forPlatform = platform === null ? "" : ` for ${platform}`;
  if (tags.length === 0)
    return severity === "critical"
      ? `The image cannot be pulled by its digest${forPlatform}.`
      : "No tag leads to it.";
  if (severity !== "critical")
    return `${listTags(tags)} can be pulled, but not the attestation or signature.`;
  return `${listTags(tags)} cannot be pulled${forPlatform}.`;
}

/** The command that brings an image back from its sources. */
export function buildAgain(name: string, [tag]: readonly string[]): string {
  return `build and push again, for each tag: docker buildx build --push --tag ${name}:${tag ?? "TAG"} .`;
}
