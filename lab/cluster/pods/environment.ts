import { LabError } from "../../machine/errors.ts";
import type { Container, EnvironmentEntry, EnvironmentSource, PodIdentity, PodObjects } from "./template.ts";

/** Annotation and variable with the index of a pod of an Indexed Job. */
const indexAnnotation = "batch.kubernetes.io/job-completion-index";
const indexVariable = "JOB_COMPLETION_INDEX";

/**
 * Replaces `$(NAME)` by the variable's value. `$$` is a dollar sign, and a name that is no variable stays as it is.
 * Source: Kubernetes, third_party/forked/golang/expansion.
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (reference, name: string | undefined) => {
    if (name === undefined) return "$";
    return variables.get(name) ?? reference;
  });
}

/** Fields of the pod that a variable may take its value from. */
function fieldValue(path: string, pod: PodIdentity): string {
  const byLabel = /^metadata\.(?:annotations|labels)\['(.+)'\]$/.exec(path)?.[1];
  if (byLabel === indexAnnotation) return pod.index === undefined ? "" : String(pod.index);
  if (path === "metadata.name") return pod.name;
  if (path === "metadata.namespace") return pod.namespace;
  throw new LabError("E_UNSUPPORTED", `the lab's pods have no field ${path}`);
}

/** The value of one variable; undefined where an optional reference leads nowhere. */
function entryValue(
  entry: EnvironmentEntry,
  objects: PodObjects,
  pod: PodIdentity,
  soFar: ReadonlyMap<string, string>,
): string | undefined {
  const { secretKeyRef, configMapKeyRef, fieldRef } = entry.valueFrom ?? {};
  if (fieldRef !== undefined) return fieldValue(fieldRef.fieldPath, pod);
  const reference = secretKeyRef ?? configMapKeyRef;
  if (reference === undefined) return expand(entry.value ?? "", soFar);
  const kind = secretKeyRef === undefined ? "configMap" : "secret";
  const found = objects.get(`${kind}/${reference.name}`)?.get(reference.key);
  if (found !== undefined) return found.toString();
  if (reference.optional) return undefined;
  throw new LabError("E_MISSING", `${kind} ${reference.name} has no key ${reference.key}`);
}

function sourceValues(source: EnvironmentSource, objects: PodObjects): [string, string][] {
  const reference = source.secretRef ?? source.configMapRef;
  if (reference === undefined) return [];
  const kind = source.secretRef === undefined ? "configMap" : "secret";
  const data = objects.get(`${kind}/${reference.name}`);
  if (data === undefined && !reference.optional) {
    throw new LabError("E_MISSING", `there is no ${kind} ${reference.name}`);
  }
  return [...(data ?? [])].map(([key, value]) => [`${source.prefix ?? ""}${key}`, value.toString()]);
}

/**
 * All variables of a container: those of `services` first, which any other may replace, then those of whole objects, then
 * one by one, each seeing the ones before it. Source: Kubernetes, pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables.
 */
export function environmentOf(
  container: Container,
  objects: PodObjects,
  pod: PodIdentity,
  services: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const ofObjects = (container.envFrom ?? []).flatMap((source) => sourceValues(source, objects));
  const variables = new Map([...services, ...ofObjects]);
  for (const entry of container.env ?? []) {
    const value = entryValue(entry, objects, pod, variables);
    if (value !== undefined) variables.set(entry.name, value);
  }
  if (pod.index !== undefined && !variables.has(indexVariable)) variables.set(indexVariable, `${pod.index}`);
  return variables;
}

/** Variables as a file for `docker --env-file`: an argument would show secrets in every list of processes. */
export function environmentFile(variables: ReadonlyMap<string, string>): string {
  const lines = [...variables].map(([name, value]) => {
    if (!/[\r\n]/.test(value) && /^[^\s#=]+$/.test(name)) return `${name}=${value}\n`;
    throw new LabError(
      "E_UNSUPPORTED",
      `the lab cannot give a container the variable ${name}: several lines`,
    );
  });
  return lines.join("");
}
