import type { Digest } from "../registry/digest.ts";
import { parseReference, type Reference, withDefaultHost } from "../registry/reference.ts";
import type { KubernetesPod } from "./cluster/objects.ts";
import { type ClusterObjects, hasEnded, type ImageUse } from "./collect-uses.ts";
import { platformsFor } from "./node-platforms.ts";
import { createOwnerOf } from "./owners.ts";

/** What a node pulled for a container of a pod that has not ended. */
export interface PulledImage extends Pick<ImageUse, "workload" | "platforms"> {
  /** As the pod names it. */
  readonly image: string;
  /** As the node names it: after a change of the pod, or of a tag, another name. */
  readonly nodeImage: string;
  /** A repository that has the content, not always that of the names, and the digest of the manifest. */
  readonly origin: Reference & { readonly host: string; readonly digest: Digest };
}

/** What the statuses of all pods say. An image that was loaded onto its node has no digest, and is left out. */
export function collectPulled(objects: ClusterObjects): readonly PulledImage[] {
  const owner = createOwnerOf(objects);
  return objects.pods
    .filter((pod) => !hasEnded(pod))
    .flatMap((pod) => {
      const workload = owner("Pod", pod.metadata);
      const platforms = platformsFor(pod.spec, objects.nodes);
      return containersOf(pod).map((container) => ({ ...container, workload, platforms }));
    });
}

function containersOf({ spec, status }: KubernetesPod) {
  const containers = [spec.containers, spec.initContainers, spec.ephemeralContainers];
  const named = new Map(containers.flatMap((list) => list ?? []).map(({ name, image }) => [name, image]));
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = status;
  const statuses = [containerStatuses, initContainerStatuses, ephemeralContainerStatuses];
  return statuses
    .flatMap((list) => list ?? [])
    .flatMap(({ name, image: nodeImage, imageID }) => {
      const origin = parseImageId(imageID);
      return origin ? [{ image: named.get(name) ?? nodeImage, nodeImage, origin }] : [];
    });
}

/** Source: Kubernetes, CRI api.proto, ContainerStatus.image_ref; cri-dockerd puts a scheme before it. */
function parseImageId(imageId: string): PulledImage["origin"] | undefined {
  const parsed = parseReference(imageId.replace(/^docker-pullable:\/\//, ""));
  if ("reason" in parsed || parsed.digest === null) return undefined;
  return { ...withDefaultHost(parsed), digest: parsed.digest };
}
