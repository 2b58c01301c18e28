import { addressesOf, type Instance } from "../machine/instances.ts";

/**
 * Ports of what runs on the machine itself, beside the host. They are on the instance's loopback address; Pushgateway
 * also listens on the gateway of the instance's network, because pods cannot reach the machine's loopback.
 */
export const machinePorts = {
  apiServer: 6443,
  etcd: 23790,
  etcdPeers: 23800,
  prometheus: 9090,
  pushgateway: 9091,
} as const;

/** Namespaces that the stack puts its objects into; they are the user's, so the lab makes them and not the program. */
export const namespaces = { monitoring: "monitoring", driveSync: "stem95su" } as const;

/** Address of the machine on the instance's network: the one that containers reach it by. */
export function gatewayOf(instance: Instance): string {
  return addressesOf(instance).subnet.replace(/\.0\/24$/, ".1");
}

/** Base URLs, without a slash at the end. */
export interface ClusterUrls {
  readonly apiServer: string;
  readonly etcd: string;
  readonly prometheus: string;
  readonly pushgateway: string;
  /** Pushgateway as pods reach it. */
  readonly pushgatewayForPods: string;
}

/** The base URLs of the instance's cluster and monitoring. */
export function urlsOf(instance: Instance): ClusterUrls {
  const { address } = addressesOf(instance);
  return {
    apiServer: `https://${address}:${machinePorts.apiServer}`,
    etcd: `http://${address}:${machinePorts.etcd}`,
    prometheus: `http://${address}:${machinePorts.prometheus}`,
    pushgateway: `http://${address}:${machinePorts.pushgateway}`,
    pushgatewayForPods: `http://${gatewayOf(instance)}:${machinePorts.pushgateway}`,
  };
}
