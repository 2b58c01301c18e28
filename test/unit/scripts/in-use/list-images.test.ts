import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { podSchema } from "../../../../scripts/in-use/cluster/objects.ts";
import { collectUses } from "../../../../scripts/in-use/collect-uses.ts";
import { type ListedImage, listImages } from "../../../../scripts/in-use/list-images.ts";
import { collectPulled } from "../../../../scripts/in-use/pulled-images.ts";
import { digestOf } from "../../../../scripts/registry/digest.ts";

const host = "r.example:5050";
const registries = new Set([host]);
const [one, two] = ["one", "two"].map((text) => digestOf(new TextEncoder().encode(text))) as [string, string];

interface Status {
  readonly image?: string;
  readonly imageID?: string;
}

/** A pod of one container, which its node says this of. */
const pod = (name: string, image: string, status: Status, more: object = {}) => ({
  metadata: { name, namespace: "shop" },
  spec: { containers: [{ name: "main", image }] },
  status: { phase: "Running", containerStatuses: [{ name: "main", ...status }], ...more },
});

function list(...pods: readonly object[]) {
  const none = {
    nodes: [],
    deployments: [],
    statefulSets: [],
    daemonSets: [],
    replicaSets: [],
    jobs: [],
    cronJobs: [],
  };
  const objects = { ...none, pods: pods.map((one) => v.parse(podSchema, one)) };
  return listImages(collectUses(objects), collectPulled(objects), registries);
}

const inWords = ({ image, uses, digests }: ListedImage) => ({
  image,
  pods: uses.map(({ workload, isNeeded }) => `${workload.name}${isNeeded ? "" : " (not needed)"}`),
  digests: [...digests],
});

describe("the images of a cluster", () => {
  test("are listed by name with what their pods pulled, those of other registries are counted", () => {
    const { listed, others, unparsable } = list(
      pod("a", `${host}/app:1`, { imageID: `${host}/app@${one}` }),
      pod("b", `${host}/app:1`, { imageID: `${host}/app@${two}` }),
      pod("c", "nginx", { imageID: `docker.io/library/nginx@${one}` }),
      pod("d", `${host}/App`, {}),
    );
    expect(listed.map(inWords)).toEqual([{ image: `${host}/app:1`, pods: ["a", "b"], digests: [one, two] }]);
    expect(others).toBe(1);
    expect(unparsable).toEqual([{ image: `${host}/App`, reason: "App is no name of a repository" }]);
  });

  test.each<[string, Status, readonly string[]]>([
    ["a pod before its first pull", { image: `${host}/app:1`, imageID: "" }, []],
    ["an image that was loaded onto the node", { image: `${host}/app:1`, imageID: one }, []],
    ["a node without a name for it", { image: one, imageID: `${host}/app@${one}` }, [one]],
    ["containerd", { image: `${host}/app:1`, imageID: `${host}/app@${one}` }, [one]],
    ["cri-dockerd", { image: `${host}/app:1`, imageID: `docker-pullable://${host}/app@${one}` }, [one]],
  ])("have the digests that statuses give: %s", (_what, status, digests) =>
    expect(list(pod("a", `${host}/app:1`, status)).listed.map(inWords)).toEqual([
      { image: `${host}/app:1`, pods: ["a"], digests },
    ]),
  );

  test.each([
    [`${host}/app`, `${host}/app:latest`],
    [`${host}/app@${one}`, `${host}/app@${one}`],
    [`${host}/app:1@${one}`, `${host}/app@${one}`],
  ])("are not listed twice where the node spells %s as %s", (image, nodeImage) =>
    expect(
      list(pod("a", image, { image: nodeImage, imageID: `${host}/app@${one}` })).listed.map(inWords),
    ).toEqual([{ image, pods: ["a"], digests: [one] }]),
  );

  test("include those that only a pod's status names", () => {
    const { listed } = list(
      pod("changed", `${host}/app:2`, { image: `${host}/app:1`, imageID: `${host}/app@${one}` }),
      pod("mirrored", "nginx:1", { image: "nginx:1", imageID: `${host}/nginx@${two}` }),
    );
    expect(listed.map(inWords)).toEqual([
      { image: `${host}/app:1`, pods: ["changed (not needed)"], digests: [one] },
      { image: `${host}/app:2`, pods: ["changed"], digests: [one] },
      { image: `${host}/nginx@${two}`, pods: ["mirrored (not needed)"], digests: [two] },
    ]);
  });

  test("include init and ephemeral containers, and no pod that has ended", () => {
    const spec = {
      containers: [{ name: "main", image: `${host}/app:1` }],
      initContainers: [{ name: "init", image: `${host}/init:1` }],
      ephemeralContainers: [{ name: "debug", image: `${host}/debug:1` }],
    };
    const status = {
      phase: "Running",
      initContainerStatuses: [{ name: "init", imageID: `${host}/init@${one}` }],
      ephemeralContainerStatuses: [{ name: "debug", imageID: `${host}/debug@${two}` }],
    };
    const { listed } = list(
      { metadata: { name: "a" }, spec, status },
      pod("ended", `${host}/ended:1`, { imageID: `${host}/ended@${one}` }, { phase: "Succeeded" }),
    );
    expect(listed.map(({ image, digests }) => [image, ...digests])).toEqual([
      [`${host}/app:1`],
      [`${host}/debug:1`, two],
      [`${host}/init:1`, one],
    ]);
  });

  test("have a digest that belongs to another repository with the same content, by both names", () => {
    const { listed } = list(pod("a", `${host}/app:1`, { imageID: `${host}/copy@${one}` }));
    expect(listed.map(inWords)).toEqual([
      { image: `${host}/app:1`, pods: ["a"], digests: [one] },
      { image: `${host}/copy@${one}`, pods: ["a (not needed)"], digests: [one] },
    ]);
  });
});
