import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { faultOnce, saysNothingNew } from "../../../engine/program-fault.ts";

const error = vi.spyOn(pulumi.log, "error").mockImplementation(async () => {});
afterEach(() => error.mockClear());

test("a fault of the program is reported once, and not thrown again", async () => {
  const program = faultOnce(() => Promise.reject(new pulumi.RunError("two faults")));
  expect(await program()).toBeUndefined();
  expect(error.mock.calls).toEqual([["two faults"]]);
});

test("a mistake in the program is thrown, with its stack", async () => {
  const mistake = new TypeError("x is undefined");
  await expect(faultOnce(() => Promise.reject(mistake))()).rejects.toBe(mistake);
  expect(error).not.toHaveBeenCalled();
});

test("what a program returns stays", async () => {
  expect(await faultOnce(async () => ({ url: "x" }))()).toEqual({ url: "x" });
});

test("only the hint at another error says nothing new", () => {
  expect(saysNothingNew("One or more errors occurred. Check logs for more details\n")).toBe(true);
  expect(saysNothingNew("One or more errors occurred: x is undefined")).toBe(false);
});
