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
