import { expect, test } from "vitest";
import { kubeconfig } from "../../../../lab/cluster/api-server.ts";

test("the kubeconfig has the authority, and never says that the certificate need not be verified", () => {
  const text = kubeconfig("lab", { url: "https://127.77.0.1:6443", authority: "PEM", token: "t" });
  const { cluster } = JSON.parse(text).clusters[0];
  expect(cluster).toEqual({
    server: "https://127.77.0.1:6443",
    "certificate-authority-data": Buffer.from("PEM").toString("base64"),
  });
});
