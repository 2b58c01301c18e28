const RealDate = Date;

/** The right time, milliseconds since 1970. */
export const realTime = () => RealDate.now();

/** Sets this process's clock to so much more than the right time; it goes on from there. 0 brings the right one back. */
export function setClock(aheadMs: number): void {
  globalThis.Date = aheadMs === 0 ? RealDate : wrongDate(aheadMs);
}

function wrongDate(aheadMs: number): DateConstructor {
  return new Proxy(RealDate, {
    construct: (target, given, self) =>
      Reflect.construct(target, given.length === 0 ? [RealDate.now() + aheadMs] : given, self),
    get: (target, key) => (key === "now" ? () => RealDate.now() + aheadMs : Reflect.get(target, key, target)),
  });
}
