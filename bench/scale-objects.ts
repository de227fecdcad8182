// How many resources the benches of the operator make.

/** `COREGIT_BENCH_OBJECTS` for a smaller run; results of one are no proof. */
export const OBJECTS = Number(process.env.COREGIT_BENCH_OBJECTS ?? 10_000);
