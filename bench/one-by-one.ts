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
  const input = requests.map(({ path, isBlob }) => `${isBlob ? "--head" : "--get"} ${path}\n`).join("");
  const start = performance.now();
  await execa("sh", ["-c", loop], { input, env: { HOST: host, ACCEPT: acceptAnyManifest } });
  return (requests.length / (performance.now() - start)) * 1000;
}
