const LARGEST = 2n ** 63n - 1n;

/** Whether a text is a number that a bigint of Postgres holds, not negative. */
export const isBigint = (text: string): boolean => /^\d{1,19}$/.test(text) && BigInt(text) <= LARGEST;
