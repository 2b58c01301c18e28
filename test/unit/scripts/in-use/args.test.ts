import { describe, expect, test } from "vitest";
import { parseInUseArguments } from "../../../../scripts/in-use/args.ts";

describe("the settings of a check of the images in use", () => {
  test("come from the environment of a pod", () => {
    const environment = {
      REGISTRY_INSTANCE: "r.example:5050",
      REGISTRY_URL: "https://10.0.20.10:5050",
      REG_USER: "ci",
      REG_PASS: "pw",
      PUSHGATEWAY: "http://push:9091/",
      KUBERNETES_SERVICE_HOST: "10.96.0.1",
      KUBERNETES_SERVICE_PORT: "443",
    };
    expect(parseInUseArguments([], environment)).toEqual({
      registries: [{ name: "r.example:5050", origin: "https://10.0.20.10:5050" }],
      account: { user: "ci", password: "pw" },
      dockerConfig: "/.docker/config.json",
      kubeconfig: undefined,
      context: undefined,
      pod: { host: "10.96.0.1", port: "443" },
      pushgateway: "http://push:9091",
      concurrency: 16,
      timeoutSeconds: 10,
      json: false,
    });
  });

  test.each([
    [[], { KUBECONFIG: "/a:/b", HOME: "/home/me" }, "/a"],
    [["--kubeconfig", "/c"], { KUBECONFIG: "/a", KUBERNETES_SERVICE_HOST: "10.96.0.1" }, "/c"],
    [[], { HOME: "/home/me", KUBECONFIG: "" }, "/home/me/.kube/config"],
  ])("%j with %j ask by the kubeconfig %s", (argv, environment, file) => {
    const settings = parseInUseArguments(["--registry", "r.example", ...argv], environment);
    expect([settings.kubeconfig, settings.pod]).toEqual([file, undefined]);
  });

  test("name several registries, each where images say or elsewhere", () => {
    const argv = ["--registry", "a.example", "--registry", "b.example:5050=http://127.0.0.1:5000"];
    expect(parseInUseArguments(argv, {}).registries).toEqual([
      { name: "a.example", origin: "https://a.example" },
      { name: "b.example:5050", origin: "http://127.0.0.1:5000" },
    ]);
  });

  test.each<[string[], Record<string, string>, RegExp]>([
    [[], {}, /--registry is missing/],
    [["--registry", "nohost"], {}, /nohost is not HOST/],
    [["--registry", "r.example/app"], {}, /is not HOST/],
    [["--registry", "https://r.example"], {}, /is not HOST/],
    [["--registry", "r.example", "--registry", "r.example=https://other"], {}, /given twice/],
    [["--registry", "r.example=https://me:hidden@r.example"], {}, /URL must be like/],
    [["--registry", "r.example=http://r.example"], { REG_USER: "ci", REG_PASS: "hidden" }, /must be https/],
    [
      ["--registry", "a.example", "--registry", "b.example"],
      { REG_USER: "ci", REG_PASS: "hidden" },
      /several are given/,
    ],
    [
      ["--registry", "r.example"],
      { PUSHGATEWAY: "push:9091", CONCURRENCY: "0" },
      /PUSHGATEWAY must.*CONCURRENCY must/,
    ],
  ])("%j with %j are refused", (argv, environment, message) => {
    expect(() => parseInUseArguments(argv, environment)).toThrow(message);
    expect(() => parseInUseArguments(argv, environment)).toThrow(
      expect.objectContaining({ code: "E_CONFIGURATION" }),
    );
    expect(() => parseInUseArguments(argv, environment)).not.toThrow(/hidden/);
  });
});
