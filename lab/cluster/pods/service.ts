import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { ensureNetwork } from "../../machine/docker-client.ts";
import { addressesOf, type Instance } from "../../machine/instances.ts";
import { gatewayOf, machinePorts } from "../endpoints.ts";

/** The service `kubernetes` as pods know it, for as long as one of them runs. */
export interface PodService {
  /** Variables with its address that a kubelet sets in every container. Source: Kubernetes, pkg/kubelet/envvars. */
  readonly variables: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Variables that name an address of the API server. */
export function serviceVariables(host: string, port: number): ReadonlyMap<string, string> {
  return new Map([
    ["KUBERNETES_SERVICE_HOST", host],
    ["KUBERNETES_SERVICE_PORT", String(port)],
    ["KUBERNETES_SERVICE_PORT_HTTPS", String(port)],
  ]);
}

/**
 * Passes connections to `target` on, byte by byte, as kube-proxy does: TLS is between the two ends. Any free port of
 * `host`, because several pods may run at a time.
 */
export async function forward(
  host: string,
  target: { readonly host: string; readonly port: number },
): Promise<PodService> {
  const open = new Set<Socket>();
  // One end may have sent everything and still receive.
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = connect({ ...target, allowHalfOpen: true });
    pass(incoming, outgoing, open);
    pass(outgoing, incoming, open);
  });
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`no port of ${host}: ${address}`);
  const close = async () => {
    const closed = once(server.close(), "close");
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { variables: serviceVariables(host, address.port), close };
}

/** Passes one direction on; when one end fails, the other one is closed. `open`: sockets that are not closed yet. */
function pass(from: Socket, to: Socket, open: Set<Socket>): void {
  open.add(from);
  from.on("close", () => open.delete(from));
  from.on("error", () => to.destroy());
  from.pipe(to);
}

/**
 * Makes the API server reachable for pods, on the gateway of their network: it listens on the machine's loopback alone,
 * and that address means another machine in a container.
 */
export async function openService(instance: Instance): Promise<PodService> {
  const addresses = addressesOf(instance);
  await ensureNetwork(addresses);
  return forward(gatewayOf(instance), { host: addresses.address, port: machinePorts.apiServer });
}
