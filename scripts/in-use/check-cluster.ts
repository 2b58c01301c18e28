import { readFile } from "node:fs/promises";
import { type InUseRegistry, type InUseReport, inUseReportSchema } from "../../contract/in-use-report.ts";
import { requirePrivacy } from "../cli/options/account.ts";
import { readDockerConfig } from "../http/docker-config.ts";
import type { Account } from "../http/exchange.ts";
import { createRetryingSend } from "../http/retry.ts";
import { memoize } from "../source/http/memoize.ts";
import { httpRegistry } from "../source/http/registry.ts";
import type { InUseSettings, RegistryAddress } from "./args.ts";
import { checkImages, type ImagesResult } from "./check-images.ts";
import { type ClusterAccess, kubeconfigAccess, podAccess } from "./cluster/access.ts";
import { collectUses } from "./collect-uses.ts";
import {
  clusterProblem,
  noImagesProblem,
  noPlatformsProblem,
  unparsableImageProblem,
} from "./describe-images.ts";
import { type ImageList, listImages } from "./list-images.ts";
import { platformsOf } from "./node-platforms.ts";
import { workloadsOf } from "./owners.ts";
import { collectPulled } from "./pulled-images.ts";
import { type ClusterReading, readCluster } from "./read-cluster.ts";

/** Reads the cluster, then checks all images of the given registries that it names. */
export async function checkCluster(settings: InUseSettings): Promise<InUseReport> {
  const startedAt = performance.now();
  const accounts = await findAccounts(settings);
  const reading = await read(settings);
  const { objects } = reading;
  const names = new Set(settings.registries.map(({ name }) => name));
  const images = listImages(collectUses(objects), collectPulled(objects), names);
  const problems = clusterProblems(reading);
  const results = await Promise.all(
    settings.registries.map((location) =>
      checkRegistry(location, images, {
        concurrency: settings.concurrency,
        timeoutSeconds: settings.timeoutSeconds,
        account: accounts.get(location.name),
        arePlatformsKnown: platformsOf(objects.nodes).length > 0,
        isClusterRead: problems.length === 0,
      }),
    ),
  );
  return {
    schema: inUseReportSchema,
    finishedAt: new Date().toISOString(),
    durationSeconds: Math.round(performance.now() - startedAt) / 1000,
    complete: results.every(({ registry }) => registry.complete),
    platforms: platformsOf(objects.nodes),
    registries: results.map(({ registry }) => registry),
    images: results.flatMap((result) => result.images),
    otherImages: images.others,
    broken: results.flatMap(({ broken }) => broken),
    problems: [
      ...problems,
      ...images.unparsable.map(unparsableImageProblem),
      ...results.flatMap((result) => result.problems),
    ],
  };
}

/** By the registries' names. Errors: E_CONFIGURATION. */
async function findAccounts({ registries, account, dockerConfig }: InUseSettings) {
  const logins = account ? undefined : await readDockerConfig(dockerConfig);
  const accounts = new Map<string, Account | undefined>();
  for (const { name, origin } of registries) {
    const found = account ?? (await logins?.accountOf(name));
    requirePrivacy(name, origin, found);
    accounts.set(name, found);
  }
  return accounts;
}

async function read(settings: InUseSettings): Promise<ClusterReading> {
  const { timeoutSeconds } = settings;
  const retries = { tries: 3, pauseSeconds: 0.5, retryAfterLimitSeconds: 30, timeoutSeconds };
  return readCluster(createRetryingSend(retries), await findAccess(settings));
}

function findAccess({ pod, kubeconfig, context }: InUseSettings): Promise<ClusterAccess> {
  const readText = (path: string) => readFile(path, "utf8");
  return pod ? podAccess(pod, readText) : kubeconfigAccess(kubeconfig ?? "", context, readText);
}

/** What of the cluster could not be read. Where its nodes could not be listed, that says enough of them. */
function clusterProblems({ objects, faults }: ClusterReading) {
  const hasNodes = platformsOf(objects.nodes).length > 0;
  const areNodesListed = faults.every(({ kind }) => kind !== "nodes");
  return [...faults.map(clusterProblem), ...(areNodesListed && !hasNodes ? [noPlatformsProblem()] : [])];
}

interface RegistryOptions {
  readonly account: Account | undefined;
  readonly concurrency: number;
  readonly timeoutSeconds: number;
  readonly arePlatformsKnown: boolean;
  readonly isClusterRead: boolean;
}

async function checkRegistry(
  { name, origin }: RegistryAddress,
  { listed, others }: ImageList,
  { account, concurrency, timeoutSeconds, arePlatformsKnown, isClusterRead }: RegistryOptions,
): Promise<ImagesResult & { readonly registry: InUseRegistry }> {
  const source = memoize(httpRegistry({ name, origin, account, concurrency, timeoutSeconds }));
  const own = listed.filter(({ reference }) => reference.host === name);
  const result = await checkImages(source, own, { concurrency, arePlatformsKnown });
  // An empty list of a misspelt registry would look like one of which nothing is broken.
  const isUnnamed = own.length === 0 && isClusterRead;
  const problems = [...result.problems, ...(isUnnamed ? [noImagesProblem(name, others)] : [])];
  const needed = own.flatMap(({ uses }) => uses.filter(({ isNeeded }) => isNeeded));
  const registry = {
    name,
    images: result.images.filter(({ isNeeded, state }) => isNeeded && state !== "unchecked").length,
    workloads: workloadsOf(needed).length,
    requests: source.tally().requests,
    complete: isClusterRead && problems.length === 0,
  };
  return { ...result, problems, registry };
}
