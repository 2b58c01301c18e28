import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { containers, registryContainer } from "../../../contract/host-names.ts";
import type { Send } from "../../http/client.ts";
import { type Check, check } from "../check.ts";

/**
 * A pull-through cache has to answer: every client, or those of certain networks. Where this host is in none of these,
 * 403 is right, and nginx says at another path whether the cache behind it works.
 */
export async function checkCache(
  { name, url, isRestricted }: DeploymentCheckConfig["caches"][number],
  send: Send,
): Promise<readonly Check[]> {
  const observe = async () => {
    const { status } = await send(`${url}/v2/`);
    if (status === 403 && isRestricted) {
      const health = await send(`${url}/healthz`);
      if (health.status === 200) return { got: "403, as this host may not pull, and healthy behind it" };
    }
    const hint =
      status === 200
        ? undefined
        : `see the log of the cache ${name}: docker logs --tail 50 ${registryContainer(name)}`;
    return { got: String(status), hint };
  };
  return [await check(`cache ${name} answers`, "200", observe)];
}

/** The user interface shows what the private registry holds, so it must ask for an account. */
export async function checkUi(url: string, send: Send): Promise<readonly Check[]> {
  const observe = async () => {
    const { status } = await send(url);
    return { got: String(status), hint: hintForUi(status) };
  };
  return [await check("the user interface is closed to strangers", "401", observe)];
}

function hintForUi(status: number): string | undefined {
  if (status === 401) return undefined;
  if (status >= 500)
    return `see that the user interface runs, then docker restart ${containers.nginx}, which keeps old addresses.`;
  return `every client can read it: put auth_request back into the proxy's configuration, then docker restart ${containers.nginx}.`;
}
