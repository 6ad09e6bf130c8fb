import { types, log, plugin } from 'polyplug';

/** Returns the sum as a 32-bit integer. */
function add(a, b) {
    return (a + b) | 0;
}
/** Returns the sum of all bytes. */
function sum(data) {
    let total = 0n;
    for (const byte of data) {
        total += BigInt(byte);
    }
    return total;
}
/** Returns a person, or throws for one without a name: the line that tests look for. */
function person(name) {
    if (name.length === 0) {
        throw new RangeError("a name is needed");
    }
    return { name };
}

/// <reference path="../polyplug.d.ts" />
const { MathError } = types("demo.calculator@1");
class TypedCalculator {
    greeting = "Hello";
    add(a, b) {
        return add(a, b);
    }
    divide(a, b) {
        if (b === 0n) {
            throw new MathError(MathError.DivisionByZero);
        }
        return a / b;
    }
    /** Fails for an empty name, in another file. */
    greet(name) {
        return `${this.greeting}, ${person(name).name}!`;
    }
    sum(data) {
        return sum(data);
    }
}
log.debug("the calculator in TypeScript is loaded");
plugin("demo.calculator@1", TypedCalculator);
//# sourceMappingURL=data:application/json;charset=utf-8;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoibWFpbi5qcyIsInNvdXJjZXMiOlsiLi4vc3JjL2xpYi9tYXRoLnRzIiwiLi4vc3JjL21haW4udHMiXSwic291cmNlc0NvbnRlbnQiOltudWxsLG51bGxdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiOztBQUtBO0FBQ00sU0FBVSxHQUFHLENBQUMsQ0FBUyxFQUFFLENBQVMsRUFBQTtBQUN0QyxJQUFBLE9BQU8sQ0FBQyxDQUFDLEdBQUcsQ0FBQyxJQUFJLENBQUM7QUFDcEI7QUFFQTtBQUNNLFNBQVUsR0FBRyxDQUFDLElBQXNCLEVBQUE7SUFDeEMsSUFBSSxLQUFLLEdBQUcsRUFBRTtBQUNkLElBQUEsS0FBSyxNQUFNLElBQUksSUFBSSxJQUFJLEVBQUU7QUFDdkIsUUFBQSxLQUFLLElBQUksTUFBTSxDQUFDLElBQUksQ0FBQztJQUN2QjtBQUNBLElBQUEsT0FBTyxLQUFLO0FBQ2Q7QUFFQTtBQUNNLFNBQVUsTUFBTSxDQUFDLElBQVksRUFBQTtBQUNqQyxJQUFBLElBQUksSUFBSSxDQUFDLE1BQU0sS0FBSyxDQUFDLEVBQUU7QUFDckIsUUFBQSxNQUFNLElBQUksVUFBVSxDQUFDLGtCQUFrQixDQUFDO0lBQzFDO0lBQ0EsT0FBTyxFQUFFLElBQUksRUFBRTtBQUNqQjs7QUN6QkE7QUFXQSxNQUFNLEVBQUUsU0FBUyxFQUFFLEdBQUcsS0FBSyxDQUFDLG1CQUFtQixDQUFDO0FBRWhELE1BQU0sZUFBZSxDQUFBO0lBQ0YsUUFBUSxHQUFXLE9BQU87SUFFM0MsR0FBRyxDQUFDLENBQVMsRUFBRSxDQUFTLEVBQUE7QUFDdEIsUUFBQSxPQUFPLEdBQUcsQ0FBQyxDQUFDLEVBQUUsQ0FBQyxDQUFDO0lBQ2xCO0lBRUEsTUFBTSxDQUFDLENBQVMsRUFBRSxDQUFTLEVBQUE7QUFDekIsUUFBQSxJQUFJLENBQUMsS0FBSyxFQUFFLEVBQUU7QUFDWixZQUFBLE1BQU0sSUFBSSxTQUFTLENBQUMsU0FBUyxDQUFDLGNBQWMsQ0FBQztRQUMvQztRQUNBLE9BQU8sQ0FBQyxHQUFHLENBQUM7SUFDZDs7QUFHQSxJQUFBLEtBQUssQ0FBQyxJQUFZLEVBQUE7QUFDaEIsUUFBQSxPQUFPLENBQUEsRUFBRyxJQUFJLENBQUMsUUFBUSxDQUFBLEVBQUEsRUFBSyxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUMsSUFBSSxDQUFBLENBQUEsQ0FBRztJQUNsRDtBQUVBLElBQUEsR0FBRyxDQUFDLElBQWdCLEVBQUE7QUFDbEIsUUFBQSxPQUFPLEdBQUcsQ0FBQyxJQUFJLENBQUM7SUFDbEI7QUFDRDtBQUVELEdBQUcsQ0FBQyxLQUFLLENBQUMsd0NBQXdDLENBQUM7QUFDbkQsTUFBTSxDQUFDLG1CQUFtQixFQUFFLGVBQWUsQ0FBQyJ9
