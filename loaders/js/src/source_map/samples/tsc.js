/** Returns the sum as a 32-bit integer. */
export function add(a, b) {
    return (a + b) | 0;
}
/** Returns the sum of all bytes. */
export function sum(data) {
    let total = 0n;
    for (const byte of data) {
        total += BigInt(byte);
    }
    return total;
}
/** Returns a person, or throws for one without a name: the line that tests look for. */
export function person(name) {
    if (name.length === 0) {
        throw new RangeError("a name is needed");
    }
    return { name };
}
//# sourceMappingURL=math.js.map