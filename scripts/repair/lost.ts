import type { LostPart } from "../../contract/repair-report.ts";
import type { ChildNode, ImageNode, Part, Root } from "./facts.ts";

/** Everything that a tag or manifest lacks, each once, from the top down. */
export function collectLost(root: Root, isOffered: (part: Part) => boolean): readonly LostPart[] {
  const lost = new Map<string, LostPart>();
  const add = (part: LostPart) => {
    const key = `${part.what} ${part.digest}`;
    if (!lost.has(key)) lost.set(key, part);
  };
  const seen = new Set<ImageNode>();
  const visit = (node: ImageNode, platform: string | null) => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const part of [node.own, ...node.blobs])
      for (const loss of lossesOf(part, platform, isOffered(part))) add(loss);
    for (const child of node.children) {
      const { digest } = child.node;
      const cause = wrongSizeOf(child);
      if (cause !== undefined)
        add({ what: "manifest", digest, platform: child.platform, cause, remedy: "rebuild" });
      visit(child.node, child.platform ?? platform);
    }
  };
  if (!("node" in root))
    add({
      what: "tag-link",
      digest: root.candidate?.digest ?? null,
      platform: null,
      cause: root.reason,
      remedy: root.candidate ? "relink" : "rebuild",
    });
  const node = "node" in root ? root.node : root.candidate;
  if (node) visit(node, null);
  return [...lost.values()];
}

/** How an index is wrong about the length of a child, which clients compare; undefined when it is right. */
export function wrongSizeOf({ expectedBytes, node: { own } }: ChildNode): string | undefined {
  const actual = own.holding.state === "good" ? own.holding.sizeBytes : own.offers[0]?.sizeBytes;
  if (expectedBytes === null || actual === undefined || actual === expectedBytes) return undefined;
  return `has ${actual} bytes, as its digest says, but the index promises ${expectedBytes}`;
}

function lossesOf(part: Part, platform: string | null, isOffered: boolean): readonly LostPart[] {
  const { digest, role, holding, link } = part;
  const losses: LostPart[] = [];
  if (holding.state !== "good") {
    const isGone = holding.state === "missing";
    const cause = isGone
      ? "is gone"
      : holding.state === "unreadable"
        ? unread(holding.reason)
        : holding.reason;
    const mayBeReplaced = isGone || holding.state === "damaged";
    const remedy = mayBeReplaced && isOffered ? "recopy" : "rebuild";
    losses.push({ what: role, digest, platform, cause, remedy });
  }
  if (link.state !== "linked") {
    const what = role === "manifest" ? "revision-link" : "layer-link";
    const cause =
      link.state === "missing" ? "is gone" : link.state === "unreadable" ? unread(link.reason) : link.reason;
    losses.push({ what, digest, platform, cause, remedy: "relink" });
  }
  return losses;
}

function unread(reason: string): string {
  return `could not be read (${reason})`;
}
