import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { variables } from "../../contract/environment.ts";
import { base64, metadata } from "./render/metadata.ts";
import {
  ACCOUNT_SECRET,
  AUTHORITY_CONFIG_MAP,
  AUTHORITY_KEY,
  bundleConfigMap,
  PROGRAM_LABELS,
} from "./render/programs.ts";

/** Arguments of {@link ClusterPrograms}. */
export interface ClusterProgramsArgs {
  readonly namespace: string;
  /** Registry account; both are secrets. */
  readonly user: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
  /** PEM text of the authority of the registry's certificate, where it is a private one. */
  readonly authority?: pulumi.Output<string> | undefined;
  /** The bundled programs, relative to the project's root. */
  readonly bundle: string;
  /** Name of the IntegrityProbe that these objects belonged to before: they are taken over from it. */
  readonly formerProbe: string;
}

/** Names of what the programs need in a pod, by reference: it is all there before a CronJob that mounts it. */
export interface ProgramObjects {
  readonly bundle: pulumi.Output<string>;
  readonly secret: pulumi.Output<string>;
  readonly authority: pulumi.Output<string> | undefined;
}

/** The programs in the cluster: the bundle, the registry's account, and the authority to verify the registry with. */
export class ClusterPrograms extends pulumi.ComponentResource {
  public readonly objects: ProgramObjects;

  constructor(name: string, args: ClusterProgramsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:ClusterPrograms", name, {}, opts);
    const probe = pulumi.createUrn(args.formerProbe, "registry:cluster:IntegrityProbe", opts?.parent);
    const takenOver = (part: string): pulumi.CustomResourceOptions => ({
      parent: this,
      aliases: [{ name: `${args.formerProbe}-${part}`, parent: probe }],
    });
    const account = accountSecret(`${name}-credentials`, args, takenOver("credentials"));
    const bundle = bundleMap(`${name}-bundle`, args, takenOver("programs"));
    const authority =
      args.authority &&
      authorityMap(`${name}-authority`, args.namespace, args.authority, takenOver("authority"));
    this.objects = {
      bundle: bundle.metadata.name,
      secret: account.metadata.name,
      authority: authority?.metadata.name,
    };
    this.registerOutputs({});
  }
}

function accountSecret(
  name: string,
  { namespace, user, password }: ClusterProgramsArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
  const encoded = (text: pulumi.Output<string>) => pulumi.secret(text).apply(base64);
  return new k8s.core.v1.Secret(
    name,
    {
      metadata: metadata(ACCOUNT_SECRET, namespace, PROGRAM_LABELS),
      type: "Opaque",
      // Not `stringData`, which the API server never gives back: an edit of the Secret would be no drift.
      data: { [variables.registryUser]: encoded(user), [variables.registryPassword]: encoded(password) },
    },
    opts,
  );
}

function bundleMap(
  name: string,
  { namespace, bundle }: ClusterProgramsArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ConfigMap {
  const map = bundleConfigMap(readBundle(bundle));
  return new k8s.core.v1.ConfigMap(
    name,
    { metadata: metadata(map.name, namespace, PROGRAM_LABELS), immutable: true, data: map.data },
    opts,
  );
}

function authorityMap(
  name: string,
  namespace: string,
  authority: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ConfigMap {
  return new k8s.core.v1.ConfigMap(
    name,
    {
      metadata: metadata(AUTHORITY_CONFIG_MAP, namespace, PROGRAM_LABELS),
      data: { [AUTHORITY_KEY]: authority },
    },
    opts,
  );
}

function readBundle(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Error(`${path}, the bundled programs, cannot be read: run \`npm run build\` first`, { cause });
  }
}
