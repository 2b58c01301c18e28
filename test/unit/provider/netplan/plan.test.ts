import { describe, expect, test } from "vitest";
import {
  changed,
  type DeviceDns,
  deviceDns,
  type NetplanFile,
  planDeviceDns,
  planDeviceRestore,
} from "../../../../provider/netplan/plan.ts";

const own = "/etc/netplan/90-regwarden-dns.yaml";
const etc = (name: string, device: string, id = "eth0"): NetplanFile => ({
  path: `/etc/netplan/${name}`,
  text: `# ${name}\nnetwork:\n  version: 2\n  ethernets:\n    ${id}:\n${device.replaceAll(/^/gm, "      ")}\n`,
});
const fixed = etc(
  "50-cloud-init.yaml",
  "addresses: [10.0.20.10/24]\nnameservers:\n  addresses: [1.1.1.1, 8.8.8.8]",
);
const dhcp = etc("50-cloud-init.yaml", "dhcp4: true");
const wanted: DeviceDns = {
  servers: ["10.0.20.1", "94.140.14.14"],
  searchDomains: ["example.lan"],
  takesFromDhcp: false,
};

describe("the name servers of a device", () => {
  test("are those of all files, in the order of their names, each once, IPv4 first", () => {
    const files = [
      etc("90-more.yaml", "nameservers:\n  addresses: [fd00::1, 9.9.9.9, 1.1.1.1]\n  search: [b.example]"),
      etc("50-cloud-init.yaml", "nameservers:\n  addresses: [1.1.1.1, 8.8.8.8]\n  search: [a.example]"),
    ];
    expect(deviceDns(files, "eth0")).toEqual({
      servers: ["1.1.1.1", "8.8.8.8", "9.9.9.9", "fd00::1"],
      searchDomains: ["a.example", "b.example"],
      takesFromDhcp: false,
    });
  });

  test("are not those of a file that one of the same name in /run hides", () => {
    const hiding = { path: "/run/netplan/50-cloud-init.yaml", text: dhcp.text };
    expect(deviceDns([hiding, fixed], "eth0")).toMatchObject({ servers: [], takesFromDhcp: true });
  });

  test.each([
    ["dhcp4: yes", true],
    ["dhcp6: true", true],
    ["dhcp4: no", false],
    ["dhcp4: true\ndhcp4-overrides: {use-dns: no}", false],
    ["dhcp4: true\ndhcp4-overrides: {route-metric: 100}", true],
  ])("come from DHCP too with %j: %s", (text, expected) => {
    expect(deviceDns([etc("a.yaml", text)], "eth0").takesFromDhcp).toBe(expected);
  });
});

describe("the change", () => {
  const reached = (files: readonly NetplanFile[]) =>
    deviceDns(changed(files, planDeviceDns(files, "eth0", wanted)), "eth0");

  test("is made in the one file that names servers, where lists of other files would be appended", () => {
    const change = planDeviceDns([fixed], "eth0", wanted);
    expect(change.map(({ path }) => path)).toEqual([fixed.path]);
    expect(change[0]?.text).toContain("# 50-cloud-init.yaml\n");
    expect(change[0]?.text).not.toContain("1.1.1.1");
    expect(reached([fixed])).toEqual(wanted);
  });

  test("is a file of our own where no file names any, and takes none from DHCP", () => {
    const change = planDeviceDns([dhcp], "eth0", wanted);
    expect(change).toEqual([
      {
        path: own,
        text: `# Written by regwarden: a change made here shows as drift and is undone by the next update.
network:
  version: 2
  ethernets:
    eth0:
      nameservers:
        addresses:
          - 10.0.20.1
          - 94.140.14.14
        search:
          - example.lan
      dhcp4-overrides:
        use-dns: false
        use-domains: false
`,
      },
    ]);
    expect(reached([dhcp])).toEqual(wanted);
  });

  test("keeps to the kind of the device", () => {
    const bridge = {
      path: "/etc/netplan/01.yaml",
      text: "network:\n  bridges:\n    br0:\n      dhcp4: true\n",
    };
    const change = planDeviceDns([bridge], "br0", wanted);
    expect(change[0]?.text).toContain("  bridges:\n    br0:\n");
  });

  test("takes our own file away once another one names servers, as after cloud-init wrote its file anew", () => {
    const ours = { path: own, text: planDeviceDns([dhcp], "eth0", wanted)[0]?.text ?? "" };
    const change = planDeviceDns([fixed, ours], "eth0", wanted);
    expect(change.map(({ path, text }) => [path, text === undefined])).toEqual([
      [fixed.path, false],
      [own, true],
    ]);
  });

  test("is none where the device has these servers already", () => {
    const [after] = changed([fixed], planDeviceDns([fixed], "eth0", wanted));
    expect(planDeviceDns(after ? [after] : [], "eth0", wanted)).toEqual([after]);
  });

  test.each<[string, readonly NetplanFile[], string, RegExp]>([
    [
      "two files that name servers",
      [fixed, etc("60-more.yaml", "nameservers:\n  addresses: [9.9.9.9]")],
      "eth0",
      /50-cloud-init\.yaml and \/etc\/netplan\/60-more\.yaml both name servers of eth0/,
    ],
    [
      "a file that is not the host's own",
      [{ ...fixed, path: "/run/netplan/50-cloud-init.yaml" }],
      "eth0",
      /Move it to \/etc\/netplan/,
    ],
    [
      "a later file that asks DHCP all the same",
      [dhcp, etc("95-late.yaml", "dhcp4-overrides:\n  use-dns: true")],
      "eth0",
      /a file that netplan reads later says otherwise/,
    ],
    ["a device that no file has", [fixed], "eth1", /no file of netplan has the device eth1. They have eth0/],
    [
      "a file that is no YAML",
      [{ path: "/etc/netplan/a.yaml", text: "network: [" }],
      "eth0",
      /a\.yaml is no YAML/,
    ],
  ])("is refused for %s, and the message says what to do", (_, files, device, message) => {
    expect(() => planDeviceDns(files, device, wanted)).toThrow(message);
  });
});

describe("the way back", () => {
  const after = planDeviceDns([fixed], "eth0", wanted)[0]?.text ?? "";

  test("is the old file, byte for byte", () => {
    const written = { path: fixed.path, isUnchanged: true, original: fixed.text };
    expect(planDeviceRestore([{ path: fixed.path, text: after }], "eth0", written)).toEqual([fixed]);
  });

  test("removes the file that was not there", () => {
    const text = planDeviceDns([dhcp], "eth0", wanted)[0]?.text ?? "";
    const written = { path: own, isUnchanged: true, original: undefined };
    expect(planDeviceRestore([dhcp, { path: own, text }], "eth0", written)).toEqual([
      { path: own, text: undefined },
    ]);
  });

  test("keeps what was changed in the file since, and brings the old servers back", () => {
    const edited = after.replace("10.0.20.10/24", "10.0.20.11/24");
    const written = { path: fixed.path, isUnchanged: false, original: fixed.text };
    const [change] = planDeviceRestore([{ path: fixed.path, text: edited }], "eth0", written);
    expect(change?.text).toContain("10.0.20.11/24");
    expect(deviceDns([{ path: fixed.path, text: change?.text ?? "" }], "eth0").servers).toEqual([
      "1.1.1.1",
      "8.8.8.8",
    ]);
  });

  test("is nothing where the file is gone or is the old one already", () => {
    const written = { path: fixed.path, isUnchanged: false, original: fixed.text };
    expect(planDeviceRestore([], "eth0", written)).toEqual([]);
    expect(planDeviceRestore([fixed], "eth0", written)).toEqual([]);
  });
});
