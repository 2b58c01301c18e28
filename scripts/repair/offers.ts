import { blobKey } from "./change.ts";
import type { DamagedRepository, ImageNode, Offer } from "./facts.ts";

/** What is offered to one repository serves all of its registry. */
export function collectOffers(
  repositories: readonly DamagedRepository[],
): ReadonlyMap<string, readonly Offer[]> {
  const offers = new Map<string, Offer[]>();
  const seen = new Set<ImageNode>();
  const visit = (registry: string, node: ImageNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const part of [node.own, ...node.blobs]) {
      const key = blobKey(registry, part.digest);
      offers.set(key, [...(offers.get(key) ?? []), ...part.offers]);
    }
    for (const child of node.children) visit(registry, child.node);
  };
  for (const { registry, roots } of repositories)
    for (const root of roots) {
      const node = "node" in root ? root.node : root.candidate;
      if (node) visit(registry, node);
    }
  return offers;
}
