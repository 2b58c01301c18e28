import { LabError } from "../../machine/errors.ts";

/**
 * Which fields of a pod template the runner knows. `true`: it does what the field says. A text: it does nothing, and
 * this says why that makes no difference to a pod that runs once, alone, on one node. A table: the fields below.
 * Any other field is refused: a pod that runs differently in a cluster proves nothing.
 */
type Known = true | string | { readonly [field: string]: Known };

const scheduling = "the lab has one node";
const retries = "the lab runs a pod once";
const selector = "says which object the file comes from, not what is in it";

const reference: Known = { name: true, key: true, optional: true };
const items: Known = { key: true, path: true, mode: true };
const seccompProfile: Known = { type: true };
const identity = { runAsUser: true, runAsGroup: true, runAsNonRoot: true, seccompProfile } as const;

const container: Known = {
  name: true,
  image: true,
  imagePullPolicy: "the image is in the engine",
  command: true,
  args: true,
  workingDir: true,
  env: {
    name: true,
    value: true,
    valueFrom: {
      secretKeyRef: reference,
      configMapKeyRef: reference,
      fieldRef: { apiVersion: selector, fieldPath: true },
    },
  },
  envFrom: {
    prefix: true,
    secretRef: { name: true, optional: true },
    configMapRef: { name: true, optional: true },
  },
  volumeMounts: { name: true, mountPath: true, subPath: true, readOnly: true },
  resources: {
    requests: scheduling,
    limits: { memory: true, cpu: true, "ephemeral-storage": "the lab evicts nothing" },
  },
  securityContext: {
    ...identity,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: true,
    privileged: true,
    capabilities: { add: true, drop: true },
  },
  ports: "the lab opens no connection to a pod",
  terminationMessagePath: "the lab shows the log",
  terminationMessagePolicy: "the lab shows the log",
};

const spec: Known = {
  containers: container,
  volumes: {
    name: true,
    configMap: { name: true, items, defaultMode: true, optional: true },
    secret: { secretName: true, items, defaultMode: true, optional: true },
    emptyDir: { medium: true, sizeLimit: true },
  },
  securityContext: {
    ...identity,
    fsGroup: true,
    fsGroupChangePolicy: "the volumes are new",
    supplementalGroups: true,
  },
  automountServiceAccountToken: true,
  serviceAccountName: true,
  serviceAccount: "the old name of serviceAccountName; the API server keeps both alike",
  enableServiceLinks: true,
  dnsConfig: { nameservers: true, searches: true, options: { name: true, value: true } },
  dnsPolicy: "names are resolved by the engine's own DNS",
  hostAliases: { ip: true, hostnames: true },
  activeDeadlineSeconds: true,
  terminationGracePeriodSeconds: true,
  restartPolicy: retries,
  ...Object.fromEntries(
    ["affinity", "nodeSelector", "tolerations", "topologySpreadConstraints", "schedulerName"]
      .concat(["priority", "priorityClassName", "preemptionPolicy"])
      .map((field) => [field, scheduling]),
  ),
};

/** Fields whose value is a table with keys of the user's own. */
const metadata = "labels and annotations describe the pod to others";

const template: Known = { metadata, spec };

/** The fields that the runner does not know, as paths such as `spec.containers[0].lifecycle`. */
export function unknownFields(value: unknown, known: Known = template, path = ""): string[] {
  if (typeof known !== "object" || value === null || value === undefined) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => unknownFields(item, known, `${path}[${at}]`));
  }
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([field, below]) => {
    const here = path === "" ? field : `${path}.${field}`;
    const rule = known[field];
    return rule === undefined ? [here] : unknownFields(below, rule, here);
  });
}

/** Refuses a pod template that the runner cannot run as a cluster would. Errors: E_UNSUPPORTED, all fields at once. */
export function refuseUnknownFields(value: unknown): void {
  const unknown = unknownFields(value);
  if (unknown.length === 0) return;
  throw new LabError("E_UNSUPPORTED", `the lab cannot run a pod with ${unknown.join(", ")}`, {
    hint: "Add them to lab/cluster/pods/fields.ts and its neighbours, or leave them out.",
  });
}
