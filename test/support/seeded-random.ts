// Chance that can be had again: a test prints its seed.

/** mulberry32: uniform in [0, 1), the same sequence for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed that the environment names, or a new one; printed, so that a failure can be played again. */
export function announceSeed(): number {
  const seed = Number(process.env.COREGIT_FAULT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`seed ${seed} (COREGIT_FAULT_SEED=${seed} plays it again)\n`);
  return seed;
}
