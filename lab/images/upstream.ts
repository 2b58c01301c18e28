import { pinnedImages } from "../../contract/images.ts";
import {
  containerLabels,
  containerState,
  docker,
  ensureNetwork,
  removeContainer,
} from "../machine/docker-client.ts";
import { type Addresses, addressesOf, type Instance } from "../machine/instances.ts";
import type { StepOptions } from "../machine/run.ts";
import { waitUntil } from "../machine/wait.ts";
import { ensurePublicImage } from "./sample-images.ts";
import { ensureOuterImage } from "./stack-images.ts";

/** HOST:PORT of the stand-in for the public registries. */
function upstreamAddress(instance: Instance): string {
  return `${addressesOf(instance).upstreamIp}:5000`;
}

/** The remote of the instance's caches. */
export function upstreamUrl(instance: Instance): string {
  return `http://${upstreamAddress(instance)}`;
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/v2/`, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    () => false,
  );
}

async function replace(addresses: Addresses, image: string): Promise<void> {
  const { upstreamContainer, upstreamIp, network } = addresses;
  await removeContainer(upstreamContainer);
  const labels = containerLabels(addresses, image);
  const networkFlags = ["--network", network, "--ip", upstreamIp];
  await docker(["run", "--detach", "--name", upstreamContainer, ...labels, ...networkFlags, image]);
}

/**
 * Runs the stand-in for the public registries, with one small image in it. distribution 2.8.3 in proxy mode sends its
 * remote a request when it starts and ends without an answer, so the caches need one also where there is no internet.
 */
export async function ensureUpstream(instance: Instance, options: StepOptions = {}): Promise<string> {
  const addresses = addressesOf(instance);
  const url = upstreamUrl(instance);
  await ensureNetwork(addresses);
  const image = await ensureOuterImage(pinnedImages.registry, options);
  const state = await containerState(addresses.upstreamContainer);
  const isRunning = state?.spec === image && state.status === "running" && (await answers(url));
  if (!isRunning) await replace(addresses, image);
  await waitUntil(`an answer of ${url}`, 30, () => answers(url));
  await ensurePublicImage(instance, upstreamAddress(instance), options);
  return url;
}

/** Removes the stand-in; nothing where there is none. */
export async function removeUpstream(instance: Instance): Promise<void> {
  await removeContainer(addressesOf(instance).upstreamContainer);
}
