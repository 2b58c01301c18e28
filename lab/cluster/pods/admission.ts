import * as v from "valibot";
import { LabError } from "../../machine/errors.ts";
import type { Access, KubernetesClient } from "../kubernetes-client.ts";
import { onlyContainer } from "./arguments.ts";
import type { Container, ObjectData, PodObjects, PodSpec, Volume } from "./template.ts";

/** Where a container finds its token. Source: Kubernetes, plugin/pkg/admission/serviceaccount. */
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumeName = "kube-api-access";

/** The shortest life that the API server gives a token, in seconds. Source: Kubernetes API, TokenRequestSpec. */
const shortestLifeSeconds = 600;

const accountSchema = v.looseObject({ automountServiceAccountToken: v.optional(v.boolean()) });
const answerSchema = v.object({ status: v.object({ token: v.string() }) });

/** Where a pod's token comes from. */
export interface TokenSource {
  readonly client: KubernetesClient;
  readonly access: Pick<Access, "authority">;
  readonly namespace: string;
  /** How long the pod may run: its token is not renewed. */
  readonly limitSeconds: number;
}

/** The pod's account: `default` where it names none. */
export function accountOf({ serviceAccountName }: PodSpec): string {
  return serviceAccountName || "default";
}

/** The pod's own setting goes before its account's; without either it gets a token. */
export function wantsToken(spec: PodSpec, account: unknown): boolean {
  const { automountServiceAccountToken: byAccount } = v.parse(accountSchema, account);
  return spec.automountServiceAccountToken ?? byAccount ?? true;
}

/**
 * The volume with token, authority and namespace. Only the pod's user reads the token, or its group where it has one.
 * Source: Kubernetes, pkg/volume/projected/projected.go.
 */
function tokenVolume(spec: PodSpec): Volume {
  const { runAsUser } = { ...spec.securityContext, ...onlyContainer(spec).securityContext };
  const isOwned = runAsUser !== undefined || spec.securityContext?.fsGroup !== undefined;
  const token = { key: "token", path: "token", mode: isOwned ? 0o600 : 0o644, owner: runAsUser ?? 0 };
  const others = ["ca.crt", "namespace"].map((key) => ({ key, path: key, mode: 0o644 }));
  return { name: volumeName, serviceAccount: { name: accountOf(spec), items: [token, ...others] } };
}

function mounted(container: Container): Container {
  const { volumeMounts = [] } = container;
  // A container keeps a mount of its own there.
  if (volumeMounts.some((volumeMount) => volumeMount.mountPath === mountPath)) return container;
  const volumeMount = { name: volumeName, mountPath, readOnly: true };
  return { ...container, volumeMounts: [...volumeMounts, volumeMount] };
}

/** The pod as admission lets it in: with the volume, mounted in its container. */
export function withTokenVolume(spec: PodSpec): PodSpec {
  const volumes = [...(spec.volumes ?? []), tokenVolume(spec)];
  return { ...spec, volumes, containers: spec.containers.map(mounted) };
}

/** A token of an account, for its own rights and no more, that ends by itself. `seconds`: at least 600. */
export async function requestToken(
  client: KubernetesClient,
  namespace: string,
  account: string,
  seconds: number = shortestLifeSeconds,
): Promise<string> {
  const answer = await client.create(`${accountPath(namespace, account)}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: Math.max(seconds, shortestLifeSeconds) },
  });
  return v.parse(answerSchema, answer).status.token;
}

function accountPath(namespace: string, account: string): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts/${account}`;
}

/** Whether the pod gets a token. Errors: E_MISSING where it may want one and there is no such account. */
export async function getsToken({ client, namespace }: TokenSource, spec: PodSpec): Promise<boolean> {
  if (spec.automountServiceAccountToken === false) return false;
  const name = accountOf(spec);
  const account = await client.get(accountPath(namespace, name));
  if (account !== undefined) return wantsToken(spec, account);
  throw new LabError("E_MISSING", `the cluster has no service account ${name} in ${namespace}`, {
    hint: 'Deploy it: "npm run up".',
  });
}

/** The volume's files: the token for the API server, the authority of its certificate, the pod's namespace. */
export function tokenData(token: string, authority: string, namespace: string): ObjectData {
  const files = { token, "ca.crt": authority, namespace };
  return new Map(Object.entries(files).map(([key, text]) => [key, Buffer.from(text)]));
}

/** The pod's objects, and with them a token that was made for it. */
export async function withToken(
  source: TokenSource,
  spec: PodSpec,
  objects: PodObjects,
): Promise<PodObjects> {
  const { client, access, namespace, limitSeconds } = source;
  const name = accountOf(spec);
  const token = await requestToken(client, namespace, name, limitSeconds);
  return new Map([...objects, [`serviceAccount/${name}`, tokenData(token, access.authority, namespace)]]);
}
