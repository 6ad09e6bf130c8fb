import { CallError, DeclaredError, context, log, plugin, types } from "polyplug";
import type { Context, TestKinds1 } from "polyplug";

type Methods = TestKinds1.Kinds;
type Colour = TestKinds1.Colour;
type Shape = TestKinds1.Shape;

const { Refusal, Shape: Shapes, Colour: Colours } = types("test.kinds@1");

class Guest implements Methods {
  private name: string;

  constructor(context: Context) {
    this.name = context.bundle;
    log.debug(this.name);
  }

  numbers(small: number, middle: number, large: bigint, real: number, flag: boolean, letter: string): [bigint, number] {
    return flag && letter === "é" ? [large, real] : [BigInt(small), middle];
  }

  text(name: string, data: Uint8Array): Iterable<number> {
    return [...name].map((letter) => letter.charCodeAt(0)).concat([...data]);
  }

  names(items: TestKinds1.Item[], byName: Map<string, TestKinds1.Point>): string[] {
    return [...items.map((item) => item.name + (item.note ?? "").trim()), ...byName.keys()];
  }

  deep(value: { tag: "some"; val: number | null } | null) {
    return value === null ? undefined : { tag: "some" as const, val: value.val };
  }

  shape(shape: Shape): Shape {
    switch (shape.tag) {
      case "Line":
        return Shapes.Line(shape.val[1], shape.val[0]);
      case "Circle":
        return Shapes.Circle({ centre: shape.val.centre, radius: shape.val.radius * 2 });
      case "Point":
        return { tag: "Point", val: { x: 0, y: shape.val.y } };
      case "Inside":
        return shape.val ?? Shapes.Empty;
      default:
        return Shapes.Dot(1);
    }
  }

  colour(colour: Colour): Colour | null {
    return colour === Colours.Red ? "Green" : null;
  }

  swap([first, second]: TestKinds1.Pair): TestKinds1.Pair {
    if (first === 0) throw new Refusal(Refusal.Full({ capacity: 7 }));
    return [Number(second), BigInt(first)];
  }

  *settled(value: { tag: "ok"; val: number } | { tag: "err"; val: string }) {
    yield { tag: "ok" as const };
    yield { tag: "err" as const, val: String(value.val) };
  }

  watch(steps: number, progress: TestKinds1.ProgressProxy): number {
    try {
      for (let step = 0; step < steps; step++) {
        if (!progress.step(step, "step")) return step;
      }
    } catch (failure) {
      if (failure instanceof CallError) throw new DeclaredError(`${failure.kind} in ${failure.method}`);
      throw failure;
    }
    return steps;
  }

  import(number: number, end: string): number {
    return number + end.length;
  }

  length(chain: TestKinds1.Chain): bigint {
    return chain.next === null ? 1n : 1n + this.length(chain.next);
  }

  forgetAll(): void {
    this.name = "";
  }
}

plugin("test.kinds@1", Guest, { singleton: true });
context.onUnload(() => log("info", "done"));
