import * as grpc from "@grpc/grpc-js";
import engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import providerRpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { compareProperties, type PropertyChanges } from "./diff.ts";
import { messageOf, PartlyCreatedError } from "./errors.ts";
import type { Bag, Recorded } from "./kinds/kind.ts";

/** One input that cannot be taken, and why. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface DiffAnswer {
  readonly changes: PropertyChanges;
  /** Top-level properties that need another resource. */
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/**
 * What a provider must answer. Types are tokens as in `host:index:File`; bags are plain JSON. Secrets arrive
 * unwrapped: this process says that it knows none, so the engine itself marks as secret again every property that was
 * one, in what is created, updated and read back.
 */
export interface Plugin {
  /** Semantic version, for the engine. */
  readonly version: string;
  checkConfig(news: Bag): CheckFailure[];
  configure(config: Bag): void;
  /** Fails when what a changed configuration names cannot be reached: before anything is done with it. */
  reach?(news: Bag): Promise<void>;
  /** A function of the provider, as `getSecret`; a provider that has none leaves it out. */
  invoke?(token: string, args: Bag): Promise<Bag>;
  check(type: string, news: Bag): { inputs: Bag; failures: CheckFailure[] };
  diff(type: string, oldInputs: Bag, news: Bag): DiffAnswer;
  create(type: string, inputs: Bag, preview: boolean): Promise<{ id: string; outputs: Bag }>;
  read(type: string, id: string, recorded: Partial<Recorded<Bag>>): Promise<Recorded<Bag> | undefined>;
  update(type: string, id: string, old: Recorded<Bag>, inputs: Bag, preview: boolean): Promise<Bag>;
  /** Returns a warning when something was left on purpose. */
  delete(type: string, id: string, recorded: Recorded<Bag>): Promise<string | undefined>;
}

const messageLimitBytes = 400 * 1024 * 1024;
const orphanCheckMilliseconds = 2000;

/**
 * Serves a plugin over the engine's protocol and prints the port, which the engine waits for. The SDK's own
 * `pulumi.provider.main` hands through neither configuration nor preview nor property paths of a difference, hence
 * this one. Source: pulumi proto/pulumi/provider.proto.
 */
export async function serve(plugin: Plugin, args: readonly string[]): Promise<void> {
  const { port } = await listen(plugin, args);
  exitWithEngine();
  console.log(String(port));
}

/** Serves a plugin on a free port of this machine. */
export async function listen(
  plugin: Plugin,
  args: readonly string[] = [],
): Promise<{ readonly port: number; readonly close: () => void }> {
  const limits = {
    "grpc.max_receive_message_length": messageLimitBytes,
    "grpc.max_send_message_length": messageLimitBytes,
  };
  const server = new grpc.Server(limits);
  const log = engineLog(args.find((arg) => !arg.startsWith("-")));
  server.addService(
    providerRpc.ResourceProviderService as unknown as grpc.ServiceDefinition,
    handlers(plugin, log),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

/** An engine that was killed ends no other process; its provider must not stay behind with a connection open. */
function exitWithEngine(): void {
  const engineProcess = process.ppid;
  setInterval(() => {
    if (process.ppid !== engineProcess) process.exit(1);
  }, orphanCheckMilliseconds).unref();
}

type Handler<Request, Response> = (request: Request) => Response | Promise<Response>;

function unary<Request, Response>(
  handler: Handler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(statusOf(error), null),
      );
  };
}

/** The engine's form of an error. A create that failed halfway carries what is to be recorded. */
function statusOf(error: unknown): Partial<grpc.StatusObject> {
  const details = messageOf(error);
  const code = grpc.status.UNKNOWN;
  if (!(error instanceof PartlyCreatedError)) return { code, details };
  const failed = new proto.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(toStruct(error.outputs))
    .setReasonsList([details]);
  const packed = new any.Any();
  packed.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusProto.Status().setCode(code).setMessage(details);
  status.addDetails(packed);
  // The field by which gRPC for Go, the engine's, carries structured errors. Source: the SDK's cmd/dynamic-provider.
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code, details, metadata };
}

function handlers(
  plugin: Plugin,
  warn: (urn: string, message: string) => void,
): grpc.UntypedServiceImplementation {
  return {
    getPluginInfo: unary(() => new pluginProto.PluginInfo().setVersion(plugin.version)),
    getSchema: unary(() => new proto.GetSchemaResponse().setSchema("{}")),
    attach: unary(() => new empty.Empty()),
    cancel: unary(() => new empty.Empty()),

    checkConfig: unary((request: InstanceType<typeof proto.CheckRequest>) => {
      const news = toBag(request.getNews());
      return checkResponse(news, plugin.checkConfig(news));
    }),
    // Never a replacement: a new key, address or account is another way to the same things. But it has to be called a
    // change, or the engine goes on with the plugin that it configured from the state.
    diffConfig: unary(async (request: InstanceType<typeof proto.DiffRequest>) => {
      const news = toBag(request.getNews());
      const changes = compareProperties(toBag(request.getOldInputs()), news);
      if (changes.size > 0) await plugin.reach?.(news);
      return diffResponse({ changes, replaces: [], deleteBeforeReplace: false });
    }),
    configure: unary((request: InstanceType<typeof proto.ConfigureRequest>) => {
      plugin.configure(toBag(request.getArgs()));
      return new proto.ConfigureResponse().setSupportspreview(true).setAcceptsecrets(false);
    }),

    invoke: unary(async (request: InstanceType<typeof proto.InvokeRequest>) => {
      const token = request.getTok();
      if (plugin.invoke === undefined) throw new Error(`no function ${token}`);
      return new proto.InvokeResponse().setReturn(
        toStruct(await plugin.invoke(token, toBag(request.getArgs()))),
      );
    }),
    check: unary((request: InstanceType<typeof proto.CheckRequest>) => {
      const { inputs, failures } = plugin.check(typeOf(request.getUrn()), toBag(request.getNews()));
      return checkResponse(inputs, failures);
    }),
    diff: unary((request: InstanceType<typeof proto.DiffRequest>) =>
      diffResponse(
        plugin.diff(typeOf(request.getUrn()), toBag(request.getOldInputs()), toBag(request.getNews())),
      ),
    ),
    create: unary(async (request: InstanceType<typeof proto.CreateRequest>) => {
      const type = typeOf(request.getUrn());
      const { id, outputs } = await plugin.create(type, toBag(request.getProperties()), request.getPreview());
      return new proto.CreateResponse().setId(id).setProperties(toStruct(outputs));
    }),
    read: unary(async (request: InstanceType<typeof proto.ReadRequest>) => {
      const inputs = toBag(request.getInputs());
      const recorded =
        Object.keys(inputs).length === 0 ? {} : { inputs, outputs: toBag(request.getProperties()) };
      const found = await plugin.read(typeOf(request.getUrn()), request.getId(), recorded);
      const response = new proto.ReadResponse();
      if (!found) return response;
      return response
        .setId(request.getId())
        .setInputs(toStruct(found.inputs))
        .setProperties(toStruct(found.outputs));
    }),
    update: unary(async (request: InstanceType<typeof proto.UpdateRequest>) => {
      const old = { inputs: toBag(request.getOldInputs()), outputs: toBag(request.getOlds()) };
      const news = toBag(request.getNews());
      const outputs = await plugin.update(
        typeOf(request.getUrn()),
        request.getId(),
        old,
        news,
        request.getPreview(),
      );
      return new proto.UpdateResponse().setProperties(toStruct(outputs));
    }),
    delete: unary(async (request: InstanceType<typeof proto.DeleteRequest>) => {
      const recorded = { inputs: toBag(request.getOldInputs()), outputs: toBag(request.getProperties()) };
      const warning = await plugin.delete(typeOf(request.getUrn()), request.getId(), recorded);
      if (warning !== undefined) warn(request.getUrn(), warning);
      return new empty.Empty();
    }),
  };
}

/** A function that shows a warning beside its resource; it goes to standard error where there is no engine. */
function engineLog(address: string | undefined): (urn: string, message: string) => void {
  if (address === undefined) return (_urn, message) => console.error(message);
  const client = new engineRpc.EngineClient(address, grpc.credentials.createInsecure());
  return (urn, message) => {
    const request = new engine.LogRequest()
      .setSeverity(engine.LogSeverity.WARNING)
      .setUrn(urn)
      .setMessage(message);
    client.log(request, () => {});
  };
}

function checkResponse(inputs: Bag, failures: readonly CheckFailure[]) {
  const list = failures.map(({ property, reason }) =>
    new proto.CheckFailure().setProperty(property).setReason(reason),
  );
  return new proto.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(list);
}

function diffResponse({ changes, replaces, deleteBeforeReplace }: DiffAnswer) {
  const kinds = proto.DiffResponse.DiffChanges;
  const response = new proto.DiffResponse()
    .setChanges(changes.size === 0 ? kinds.DIFF_NONE : kinds.DIFF_SOME)
    .setDiffsList([...new Set([...changes.keys()].map((path) => path.split(/[.[]/)[0] ?? path))])
    .setReplacesList([...replaces])
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(true);
  for (const [path, change] of changes) {
    response.getDetaileddiffMap().set(path, propertyDiff(change, replaces.includes(path)));
  }
  return response;
}

function propertyDiff(change: "add" | "delete" | "update", replaces: boolean) {
  const { Kind } = proto.PropertyDiff;
  const kind = {
    add: replaces ? Kind.ADD_REPLACE : Kind.ADD,
    delete: replaces ? Kind.DELETE_REPLACE : Kind.DELETE,
    update: replaces ? Kind.UPDATE_REPLACE : Kind.UPDATE,
  }[change];
  return new proto.PropertyDiff().setKind(kind).setInputdiff(true);
}

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME` -> `TYPE`. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function toBag(value: InstanceType<typeof struct.Struct> | undefined): Bag {
  return unwrapSecrets(value?.toJavaScript() ?? {}) as Bag;
}

/** Key and value that mark a wrapped secret. Source: pulumi sdk/go/common/resource/sig/sig.go. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Configuration comes with its secrets wrapped, before the engine has asked whether that is understood. */
function unwrapSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (record[signatureKey] === secretSignature) return unwrapSecrets(record.value);
  return Object.fromEntries(Object.entries(record).map(([key, inner]) => [key, unwrapSecrets(inner)]));
}

/** Through JSON, which drops what is undefined: a Struct has no such value. */
function toStruct(bag: Bag): InstanceType<typeof struct.Struct> {
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(bag)));
}
