import { waitUntil } from "../../../lab/machine/wait.ts";
import { onHost } from "./stack.ts";

/** What the private registry's port answers to a request without an account. */
export function statusWithoutAccount(): Promise<string> {
  return onHost("curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1:5050/v2/ || true");
}

/** Waits until the private registry answers behind nginx. */
export async function becomesHealthy(): Promise<void> {
  await waitUntil("the registry behind nginx", 60, async () => (await statusWithoutAccount()) === "401");
}

/** The data directory of the private registry, on the host. */
export const privateStore = "/opt/registry/data/private";

const store = `${privateStore}/docker/registry/v2`;

/**
 * Removes the links of layers that are gone: `garbage-collect -m` leaves them where it took the layers of manifests
 * without a tag, and each is a finding of every scan from then on.
 */
export async function removeDanglingLinks(): Promise<void> {
  await onHost(`cd ${store} && find repositories -path '*/_layers/sha256/*' -name link | while IFS= read -r link; do
  directory=\${link%/link}
  digest=\${directory##*/}
  [ -e "blobs/sha256/$(printf %.2s "$digest")/$digest/data" ] || rm -r -- "$directory"
done`);
}

/** Takes all repositories below a path out of the store. */
export async function removeRepositories(path: string): Promise<void> {
  await onHost(`rm -rf -- ${store}/repositories/${path}`);
}
