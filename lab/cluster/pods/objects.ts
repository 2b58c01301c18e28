import * as v from "valibot";
import type { KubernetesClient } from "../kubernetes-client.ts";
import type { ObjectData, PodObjects, PodSpec } from "./template.ts";

const texts = v.optional(v.record(v.string(), v.string()), {});
const configMap = v.looseObject({ data: texts, binaryData: texts });
const secret = v.looseObject({ data: texts });

/** Content of a ConfigMap. */
export function configMapData(object: unknown): ObjectData {
  const { data, binaryData } = v.parse(configMap, object);
  const plain = Object.entries(data).map(([key, text]) => [key, Buffer.from(text)] as const);
  return new Map([...plain, ...decoded(binaryData)]);
}

/** Content of a Secret, decoded. */
export function secretData(object: unknown): ObjectData {
  return new Map(decoded(v.parse(secret, object).data));
}

function decoded(data: Readonly<Record<string, string>>) {
  return Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64")] as const);
}

/** Names of the objects that a pod's variables and volumes come from, as `configMap/NAME` and `secret/NAME`. */
export function objectNames(spec: PodSpec): string[] {
  const named = spec.containers.flatMap(({ env = [], envFrom = [] }) => [
    ...envFrom.map(({ configMapRef, secretRef }) => [configMapRef?.name, secretRef?.name]),
    ...env.map(({ valueFrom }) => [valueFrom?.configMapKeyRef?.name, valueFrom?.secretKeyRef?.name]),
  ]);
  const mounted = (spec.volumes ?? []).map((volume) => [volume.configMap?.name, volume.secret?.secretName]);
  const all = [...named, ...mounted].flatMap(([configMap, secret]) => [
    ...(configMap === undefined ? [] : [`configMap/${configMap}`]),
    ...(secret === undefined ? [] : [`secret/${secret}`]),
  ]);
  return [...new Set(all)];
}

/** Reads a pod's objects from the cluster; one that is missing is left out. */
export async function readObjects(
  client: KubernetesClient,
  namespace: string,
  spec: PodSpec,
): Promise<PodObjects> {
  const objects = new Map<string, ObjectData>();
  for (const id of objectNames(spec)) {
    const [kind, name] = id.split("/");
    const collection = kind === "secret" ? "secrets" : "configmaps";
    const object = await client.get(`/api/v1/namespaces/${namespace}/${collection}/${name}`);
    if (object !== undefined) {
      objects.set(id, kind === "secret" ? secretData(object) : configMapData(object));
    }
  }
  return objects;
}
