import * as v from "valibot";
import { image as imageRule } from "../../config/formats.ts";
import { pinnedImages } from "../../contract/images.ts";
import type { ContainerFact, ImageFact } from "../facts.ts";
import type { Deviation } from "./deviation.ts";

type Role = "registry" | "nginx" | "ui";

export interface ImagePlan {
  /** What the configuration names; undefined where its default is what runs, or stands for it. */
  readonly reference: string | undefined;
  readonly deviations: readonly Deviation[];
}

/**
 * The image of a role: the one that runs, where its reference means one version. A tag that moves is replaced by the
 * stack's own, as the next pull could bring another program.
 */
export function planImage(
  role: Role,
  containers: readonly ContainerFact[],
  images: readonly ImageFact[],
): ImagePlan {
  const pinned = pinnedImages[role];
  const found = [...new Set(containers.map(({ image }) => image))];
  const own = found.find((reference) => v.is(imageRule, reference) && isOfRole(role, reference));
  if (own !== undefined && found.length === 1)
    return { reference: own === pinned ? undefined : own, deviations: [] };
  const wanted = own ?? pinned;
  const deviations = found
    .filter((reference) => reference !== wanted)
    .map((reference) => ({
      what: `image of ${containers
        .filter(({ image }) => image === reference)
        .map(({ name }) => name)
        .join(", ")}`,
      was: `${reference} (${digestOf(reference, containers, images)})`,
      becomes: wanted,
      why: v.is(imageRule, reference)
        ? "all registries run one version"
        : "the tag moves: every pull may bring another program",
    }));
  return { reference: wanted === pinned ? undefined : wanted, deviations };
}

/** A registry 3.x, or another program in the registry's place, is not what the stack's configuration is for. */
function isOfRole(role: Role, reference: string): boolean {
  const [name = "", tag = ""] = reference.split("@")[0]?.split(/:(?=[^/]*$)/) ?? [];
  if (role === "registry") return /(^|\/)registry$/.test(name) && /^2\.8\./.test(tag);
  if (role === "nginx") return /(^|\/)nginx$/.test(name) && /^1\.(2[6-9]|[3-9]\d)\./.test(tag);
  return /joxit\/docker-registry-ui$/.test(name) && /^2\./.test(tag);
}

/** The digest that registries know, else the id on the host. */
export function digestOf(
  reference: string,
  containers: readonly ContainerFact[],
  images: readonly ImageFact[],
): string {
  const id = containers.find(({ image }) => image === reference)?.imageId;
  const digest = images.find((each) => each.id === id)?.digests[0]?.split("@")[1];
  return digest ?? `no digest of a registry, id ${id ?? "unknown"}`;
}
