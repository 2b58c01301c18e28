import * as grpc from "@grpc/grpc-js";
import providerRpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostError, PartlyCreatedError } from "../../../provider/errors.ts";
import { HostPlugin } from "../../../provider/plugin.ts";
import { listen, type Plugin } from "../../../provider/server.ts";

const urn = "urn:pulumi:test::regwarden::host:index:ComposeProject::compose";
let failure: Error;
const plugin: Plugin = Object.assign(new HostPlugin({}), {
  create: () => Promise.reject(failure),
  reach: () => Promise.reject(failure),
});
let server: Awaited<ReturnType<typeof listen>>;
let client: InstanceType<typeof providerRpc.ResourceProviderClient>;

beforeAll(async () => {
  server = await listen(plugin);
  client = new providerRpc.ResourceProviderClient(
    `127.0.0.1:${server.port}`,
    grpc.credentials.createInsecure(),
  );
});
afterAll(() => {
  client.close();
  server.close();
});

function create(): Promise<grpc.ServiceError> {
  return new Promise((resolve, reject) => {
    client.create(new proto.CreateRequest().setUrn(urn), (error) =>
      error ? resolve(error) : reject(new Error("no error")),
    );
  });
}

describe("a create that fails", () => {
  test("halfway is answered with id, properties and reason, which the engine records", async () => {
    const outputs = { project: "registry", bounce: "" };
    failure = new PartlyCreatedError("registry", outputs, new HostError("E_REMOTE", "quay is not healthy"));
    const error = await create();
    expect(error.details).toBe("quay is not healthy");
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    const status = statusProto.Status.deserializeBinary(Uint8Array.from(bytes as Buffer));
    const [packed] = status.getDetailsList();
    expect(packed?.getTypeName()).toBe("pulumirpc.ErrorResourceInitFailed");
    const failed = proto.ErrorResourceInitFailed.deserializeBinary(
      packed?.getValue_asU8() ?? new Uint8Array(),
    );
    expect(failed.getId()).toBe("registry");
    expect(failed.getReasonsList()).toEqual(["quay is not healthy"]);
    expect(failed.getProperties()?.toJavaScript()).toEqual(outputs);
  });

  test("before anything was made is an error without a resource", async () => {
    failure = new HostError("E_REMOTE", "no such image");
    const error = await create();
    expect(error.details).toBe("no such image");
    expect(error.metadata.get("grpc-status-details-bin")).toEqual([]);
  });
});

test("a function is called where the provider has any", async () => {
  const invoke = () =>
    new Promise<unknown>((resolve) => {
      const args = struct.Struct.fromJavaScript({ path: "a" });
      const request = new proto.InvokeRequest().setTok("vault:kv/getSecret:getSecret").setArgs(args);
      client.invoke(request, (error, answer) =>
        resolve(error?.details ?? answer?.getReturn()?.toJavaScript()),
      );
    });
  expect(await invoke()).toBe("no function vault:kv/getSecret:getSecret");
  plugin.invoke = (token, args) => Promise.resolve({ token, ...args });
  expect(await invoke()).toEqual({ token: "vault:kv/getSecret:getSecret", path: "a" });
});

test("a connection that was changed and does not work fails at once, before any step is done with it", async () => {
  failure = new HostError("E_HOST_AUTHENTICATION", "root@vm:22: the host does not accept the SSH key");
  const request = (connection: string) => struct.Struct.fromJavaScript({ connection });
  const ask = (old: string, next: string) =>
    new Promise<string>((resolve) => {
      const diff = new proto.DiffRequest().setUrn(urn).setOldInputs(request(old)).setNews(request(next));
      client.diffConfig(diff, (error) => resolve(error?.details ?? "no error"));
    });
  expect(await ask("a", "b")).toContain("root@vm:22");
  expect(await ask("a", "a")).toBe("no error");
});
