import type { RepairImage } from "../../contract/repair-report.ts";
import { blobDataPath } from "../registry/paths.ts";
import { subjectOfTag } from "../registry/tag.ts";
import type { ImageNode, Root } from "./facts.ts";

type Named = Pick<RepairImage, "repository" | "tag" | "digest">;

/** What a person types for an image that stays broken, line by line. */
export function nextCommands(
  { repository, tag, digest }: Named,
  root: Root,
  { instance, tagLinks }: { readonly instance: string; readonly tagLinks: boolean },
): readonly string[] {
  const name = `${instance}/${repository}`;
  const node = "node" in root ? root.node : root.candidate;
  if (!("node" in root) && node && !tagLinks)
    return [
      `# add --tag-links to point it at ${node.digest}, the only manifest that it ever led to, or:`,
      ...push(name, root.tag, node),
    ];
  if (tag === null)
    return [`# no tag leads to ${digest}; if somebody pulls it by digest: build and push it again`];
  const subject = subjectOfTag(tag);
  const aside = node ? setAside(node) : [];
  if (subject && tag.endsWith(".sig")) return [...aside, `cosign sign --yes ${name}@${subject}`];
  if (subject)
    return [
      ...aside,
      `# attach again what was attached to ${name}@${subject} (signature, attestation, SBOM)`,
    ];
  return [...aside, ...push(name, tag, node)];
}

function push(name: string, tag: string, node: ImageNode | null): readonly string[] {
  const platforms = [...new Set(node ? platformsOf(node) : [])];
  const choice = platforms.length > 0 ? ` --platform ${platforms.join(",")}` : "";
  return [`docker buildx build --push${choice} --tag ${name}:${tag} .`];
}

function platformsOf(node: ImageNode): readonly string[] {
  return node.children.flatMap((child) => [
    ...(child.platform !== null && child.platform !== "unknown/unknown" ? [child.platform] : []),
    ...platformsOf(child.node),
  ]);
}

/** A push skips what is there already, whole or not; so what is damaged must be out of its way first. */
function setAside(node: ImageNode): readonly string[] {
  const damaged = new Set(damagedOf(node));
  if (damaged.size === 0) return [];
  const moves = [...damaged].map((path) => `mv ${path} ${path}.damaged`);
  return [`# in the registry's data directory, then restart the registry:`, ...moves];
}

function damagedOf(node: ImageNode): readonly string[] {
  const own = [node.own, ...node.blobs].filter(({ holding }) => holding.state === "damaged");
  return [
    ...own.map(({ digest }) => blobDataPath("", digest)),
    ...node.children.flatMap(({ node }) => damagedOf(node)),
  ];
}
