// node --import shifted-clock.mjs: this process believes it is CHAOS_CLOCK_MS later (or earlier) than it is.
const shift = Number(process.env.CHAOS_CLOCK_MS ?? 0);
const RealDate = Date;
const now = () => RealDate.now() + shift;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, as) => Reflect.construct(target, args.length === 0 ? [now()] : args, as),
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
});
