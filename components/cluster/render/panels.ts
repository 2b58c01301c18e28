/** A panel of a Grafana dashboard: only what this project's dashboard uses. */
export interface Panel {
  readonly type: "row" | "stat" | "table" | "timeseries";
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly targets?: readonly Target[];
  readonly more?: Readonly<Record<string, unknown>>;
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly format?: string;
}

const GRID_WIDTH = 24;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

export function row(title: string): Panel {
  return { type: "row", title, width: GRID_WIDTH, height: 1 };
}

/** One number, red or green from a value on. */
export function stat(
  title: string,
  expr: string,
  { red, green, unit = "short" }: { readonly red?: number; readonly green?: number; readonly unit?: string },
): Panel {
  const [below, above] = red === undefined ? ["red", "green"] : ["green", "red"];
  const steps = [
    { color: below, value: null },
    { color: above, value: red ?? green },
  ];
  return {
    type: "stat",
    title,
    width: 4,
    height: 4,
    targets: [{ refId: "A", expr, instant: true }],
    more: {
      // No series is no good news, and no zero.
      fieldConfig: { defaults: { unit, noValue: "no data", thresholds: { mode: "absolute", steps } } },
      options: { colorMode: "background", reduceOptions: { calcs: ["lastNotNull"] } },
    },
  };
}

export function table(title: string, expr: string): Panel {
  return {
    type: "table",
    title,
    width: 12,
    height: 8,
    targets: [{ refId: "A", expr, instant: true, format: "table" }],
  };
}

/** Curves; each query with its legend. */
export function timeSeries(
  title: string,
  queries: readonly (readonly [expr: string, legend: string])[],
  unit = "short",
): Panel {
  const targets = queries.map(([expr, legendFormat], at) => ({
    refId: String.fromCharCode("A".charCodeAt(0) + at),
    expr,
    legendFormat,
  }));
  const more = { fieldConfig: { defaults: { unit, min: 0 } } };
  return { type: "timeseries", title, width: 12, height: 8, targets, more };
}

/** Panels with their ids and positions: from left to right, and a new line where one does not fit. */
export function positioned(panels: readonly Panel[]) {
  let x = 0;
  let y = 0;
  let lineHeight = 0;
  return panels.map(({ width, height, targets, more, ...panel }, at) => {
    if (x + width > GRID_WIDTH) {
      x = 0;
      y += lineHeight;
      lineHeight = 0;
    }
    const gridPos = { x, y, w: width, h: height };
    x += width;
    lineHeight = Math.max(lineHeight, height);
    const data = targets === undefined ? {} : { datasource: DATASOURCE, targets };
    return { id: at + 1, ...panel, gridPos, ...data, ...more };
  });
}
