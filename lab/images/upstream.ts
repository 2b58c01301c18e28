import {
  containerLabels,
  containerState,
  docker,
  ensureNetwork,
  removeContainer,
} from "../machine/docker-client.ts";
import { type Addresses, addressesOf, type Instance } from "../machine/instances.ts";
import { type StepOptions, waitUntil } from "../machine/run.ts";
import { ensurePublicImage } from "./sample-images.ts";
import { ensureOuterImage, type ImageNames } from "./stack-images.ts";

/** Where the caches of an instance find their upstream. */
export function upstreamUrl(instance: Instance): string {
  return `http://${addressesOf(instance).upstreamIp}:5000`;
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/v2/`, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    () => false,
  );
}

async function replace(addresses: Addresses, image: string): Promise<void> {
  await removeContainer(addresses.upstreamContainer);
  const labels = containerLabels(addresses, image);
  const network = ["--network", addresses.network, "--ip", addresses.upstreamIp];
  await docker(["run", "--detach", "--name", addresses.upstreamContainer, ...labels, ...network, image]);
}

/**
 * Runs the stand-in for the public registries, with one small image in it. distribution 2.8.3 in proxy mode asks its
 * remote when it starts and dies without an answer, so the caches need one also where there is no internet.
 */
export async function ensureUpstream(
  instance: Instance,
  names: ImageNames,
  options: StepOptions = {},
): Promise<string> {
  const addresses = addressesOf(instance);
  const url = upstreamUrl(instance);
  await ensureNetwork(addresses);
  const image = await ensureOuterImage("registry", names.registry, options);
  const state = await containerState(addresses.upstreamContainer);
  const isRunning = state?.spec === image && state.status === "running" && (await answers(url));
  if (!isRunning) await replace(addresses, image);
  await waitUntil(`an answer of ${url}`, 30, () => answers(url));
  await ensurePublicImage(instance, options);
  return url;
}

/** Removes the stand-in; nothing where there is none. */
export async function removeUpstream(instance: Instance): Promise<void> {
  await removeContainer(addressesOf(instance).upstreamContainer);
}
