/** The part of a Kubernetes pod template that the lab's runner knows, as the API server gives it. */
export interface PodTemplate {
  readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec: PodSpec;
}

type Labels = Readonly<Record<string, string>>;

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: PodSecurity;
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly dnsConfig?: DnsConfig;
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  readonly activeDeadlineSeconds?: number;
  readonly terminationGracePeriodSeconds?: number;
}

interface DnsConfig {
  readonly nameservers?: readonly string[];
  readonly searches?: readonly string[];
  readonly options?: readonly { readonly name: string; readonly value?: string }[];
}

interface Identity {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly seccompProfile?: { readonly type: string };
}

interface PodSecurity extends Identity {
  readonly fsGroup?: number;
  readonly supplementalGroups?: readonly number[];
}

interface ContainerSecurity extends Identity {
  readonly readOnlyRootFilesystem?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly privileged?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvironmentEntry[];
  readonly envFrom?: readonly EnvironmentSource[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly resources?: { readonly limits?: Labels };
  readonly securityContext?: ContainerSecurity;
}

interface KeyReference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyReference;
    readonly configMapKeyRef?: KeyReference;
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

interface ObjectReference {
  readonly name: string;
  readonly optional?: boolean;
}

export interface EnvironmentSource {
  readonly prefix?: string;
  readonly secretRef?: ObjectReference;
  readonly configMapRef?: ObjectReference;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface VolumeItem {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
  /** User id of the file. @default 0 */
  readonly owner?: number;
}

/** Files from an object of the cluster. */
export interface ObjectSource {
  readonly items?: readonly VolumeItem[];
  readonly optional?: boolean;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: ObjectSource & { readonly name: string; readonly defaultMode?: number };
  readonly secret?: ObjectSource & { readonly secretName: string; readonly defaultMode?: number };
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string };
  /** In no template: admission adds it. */
  readonly serviceAccount?: ObjectSource & { readonly name: string };
}

/** The part of a CronJob that the runner reads. */
export interface CronJob {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly suspend?: boolean; readonly jobTemplate: { readonly spec: JobSpec } };
}

export interface JobSpec {
  readonly completions?: number;
  readonly completionMode?: string;
  readonly activeDeadlineSeconds?: number;
  readonly template: PodTemplate;
}

/** Content of a ConfigMap or Secret, decoded, or a pod's files of its service account. */
export type ObjectData = ReadonlyMap<string, Buffer>;

/** Objects that a pod names, by `configMap/NAME`, `secret/NAME` or `serviceAccount/NAME`; one that is missing is not in it. */
export type PodObjects = ReadonlyMap<string, ObjectData>;

/** What identifies a pod. */
export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  /** Of an Indexed Job. */
  readonly index?: number;
}
