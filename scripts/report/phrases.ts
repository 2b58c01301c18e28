import type { FindingFacts } from "../../contract/finding.ts";
import { subjectOfTag } from "../registry/tag.ts";

/** `1 tag`, `2 tags`, `0 tags`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Stands before a report's conclusion; empty where everything was checked. */
export function warningOf(isComplete: boolean): string {
  return isComplete ? "" : "NOT COMPLETE: something could not be checked. ";
}

/**
 * The end of a report. Of a run that could not check everything, "nothing found" is said of the rest alone, so that the
 * line cannot be read as a clean result.
 */
export function conclude(broken: string | null, isComplete: boolean): string {
  const nothing = isComplete ? "Nothing found broken." : "Nothing found broken in the rest.";
  return `${warningOf(isComplete)}${broken ?? nothing}`;
}

/** `Tag a`, or `Tags a, b`; of many tags the first few, as the finding itself holds all. */
export function listTags(tags: readonly string[]): string {
  const shown = tags.slice(0, 5).join(", ");
  const rest = tags.length > 5 ? ` and ${tags.length - 5} more` : "";
  return `${tags.length === 1 ? "Tag" : "Tags"} ${shown}${rest}`;
}

type Broken = Pick<FindingFacts, "tags" | "severity" | "platform">;

/** Which tags a bad manifest or blob breaks. */
export function brokenBy({ tags, severity, platform }: Broken): string {
  if (tags.length === 0) return "No tag leads to it.";
  if (severity === "critical") return `${listTags(tags)} cannot be pulled${forPlatform(platform)}.`;
  // What a signature's own tag leads to is the signature, which no client runs.
  const images = tags.filter((tag) => !subjectOfTag(tag));
  if (images.length === 0)
    return `${listTags(tags)} cannot be read; the image that it is about can be pulled.`;
  return `${listTags(images)} can be pulled, but not an attestation or signature of it.`;
}

/** The same of an image that was asked for by its digest. */
export function brokenByDigest({ severity, platform }: Broken): string {
  return severity === "critical"
    ? `The image cannot be pulled by its digest${forPlatform(platform)}.`
    : "The image can be pulled by its digest, but not an attestation or signature of it.";
}

function forPlatform(platform: string | null): string {
  return platform === null ? "" : ` for ${platform}`;
}

/** The command that brings an image back from its sources. Without tags, one that was asked for by its digest. */
export function buildAgain(name: string, tags: readonly string[]): string {
  const [tag = "TAG"] = tags;
  const command = `docker buildx build --push --tag ${name}:${tag} .`;
  if (tags.length === 0) return `build and push again, and use the new digest: ${command}`;
  return `build and push again${tags.length > 1 ? ", for each tag" : ""}: ${command}`;
}
