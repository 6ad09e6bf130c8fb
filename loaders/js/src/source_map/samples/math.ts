/** A person to greet. */
export interface Person {
  readonly name: string;
}

/** Returns the sum as a 32-bit integer. */
export function add(a: number, b: number): number {
  return (a + b) | 0;
}

/** Returns the sum of all bytes. */
export function sum(data: Iterable<number>): bigint {
  let total = 0n;
  for (const byte of data) {
    total += BigInt(byte);
  }
  return total;
}

/** Returns a person, or throws for one without a name: the line that tests look for. */
export function person(name: string): Person {
  if (name.length === 0) {
    throw new RangeError("a name is needed");
  }
  return { name };
}
