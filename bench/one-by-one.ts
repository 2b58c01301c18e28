import { execa } from "execa";
import { acceptAnyManifest } from "../scripts/registry/media-types.ts";
import { requestsFor, type ServedStore } from "./served-store.ts";

// As the probe of before did it: a shell, and in its loop one `curl` a request.
const loop = `while read -r head url; do
  curl --silent --output /dev/null --fail $head --header "Accept: $ACCEPT" "http://$HOST$url" || exit 1
done`;

/** Requests a second of one `curl` each, one after the other, for the first tags of a store. */
export async function rateOfCurl({ host, tags }: ServedStore, tagCount: number): Promise<number> {
  const requests = tags.slice(0, tagCount).flatMap(requestsFor);
  const input = requests
    .map(([method, path]) => `${method === "HEAD" ? "--head" : "--get"} ${path}\n`)
    .join("");
  const start = performance.now();
  await execa("sh", ["-c", loop], { input, env: { HOST: host, ACCEPT: acceptAnyManifest } });
  return (requests.length / (performance.now() - start)) * 1000;
}

/** The one in the middle. */
export async function median(runs: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let run = 0; run < runs; run++) values.push(await measure());
  return values.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN;
}
