import * as v from "valibot";
import { retentionRuleEntries } from "../contract/retention-rules.ts";
import { calendar, maintenanceMode } from "./formats.ts";
import { withDefault } from "./setting.ts";

/** Which tags of the private registry stay. The programs read the same rules from a file on the host. */
const retention = v.strictObject({
  ...retentionRuleEntries,
  onCalendar: withDefault(calendar, "*-*-* 02:00:00"),
  mode: withDefault(maintenanceMode, "plan"),
});

export const retentionEntries = { retention: v.optional(retention, {}) };
