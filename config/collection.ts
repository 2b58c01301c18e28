import * as v from "valibot";
import { parseDuration } from "../contract/retention-rules.ts";
import { calendar, maintenanceMode } from "./formats.ts";
import { described, withDefault } from "./setting.ts";

/** When what no tag of the private registry needs is removed, and how much at once. */

const duration = described(
  "a whole number of minutes, hours, days or weeks: m, h, d or w behind it",
  v.pipe(
    v.string(),
    v.check((text) => parseDuration(text) !== undefined),
  ),
);
const share = described("a share from 1% to 100%", v.pipe(v.string(), v.regex(/^(?:100|[1-9]\d?)%$/)));
const days = described(
  "a whole number of days, from 1 to 365",
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365)),
);

const collection = v.strictObject({
  mode: withDefault(maintenanceMode, "plan"),
  onCalendar: withDefault(calendar, "Sun *-*-* 03:00:00"),
  mark: v.optional(v.strictObject({ onCalendar: withDefault(calendar, "*-*-* 02:40:00") }), {}),
  budget: withDefault(share, "30%"),
  deadFor: withDefault(duration, "24h"),
  grace: withDefault(duration, "2h"),
  overwritten: withDefault(duration, "7d"),
  quarantineDays: withDefault(days, 7),
});

export const collectionEntries = { collection: v.optional(collection, {}) };
