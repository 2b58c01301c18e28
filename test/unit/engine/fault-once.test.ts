import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test } from "vitest";
import { faultOnce } from "../../../engine/fault-once.ts";

const event = "unhandledRejection";
const before = process.listeners(event);
afterEach(() => {
  process.removeAllListeners(event);
  for (const listener of before) process.on(event, listener);
});

/** What the SDK does: it hears of promises that fail unheard while the program runs. */
function listen(): unknown[] {
  const reported: unknown[] = [];
  process.on(event, (reason) => reported.push(reason));
  return reported;
}

const emit = (reason: unknown) => process.emit(event, reason, Promise.resolve());

test("a fault of the program is thrown, and its unheard promise passed over; others are reported", async () => {
  const fault = new pulumi.RunError("two faults");
  const other = new Error("of a resource");
  process.removeAllListeners(event);
  const reported = listen();
  const program = faultOnce(() => Promise.reject(fault));
  await expect(program()).rejects.toBe(fault);
  emit(fault);
  emit(other);
  expect(reported).toEqual([other]);
});

test("a run after that is heard anew, and an error that is no fault of the input is left alone", async () => {
  process.removeAllListeners(event);
  listen();
  await expect(faultOnce(() => Promise.reject(new pulumi.RunError("a fault")))()).rejects.toThrow("a fault");
  const reported = listen();
  const mistake = new TypeError("x is undefined");
  await expect(faultOnce(() => Promise.reject(mistake))()).rejects.toBe(mistake);
  emit(mistake);
  expect(reported).toEqual([mistake]);
  expect(process.listeners(event)).toHaveLength(1);
  expect(await faultOnce(async () => ({ url: "a" }))()).toEqual({ url: "a" });
});
