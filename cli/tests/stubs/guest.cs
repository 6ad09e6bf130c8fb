using System.Collections.Generic;
using System.Linq;
using System.Text;
using Polyplug;
using TestKinds1;

[Plugin("test.kinds@1")]
public sealed class Guest : IKinds
{
    public (long, float) Numbers(sbyte small, ushort middle, long large, float real, bool flag, Rune letter)
    {
        return flag && letter.Value == 0xe9 ? (large, real) : (small, middle);
    }

    public byte[] Text(string name, byte[] data) => Encoding.UTF8.GetBytes(name).Concat(data).ToArray();

    public IReadOnlyList<string> Names(IReadOnlyList<Item> items, IReadOnlyDictionary<string, Point> byName)
    {
        return items.Select(item => item.Name + item.Note).Concat(byName.Keys).ToList();
    }

    public Option<Option<int>> Deep(Option<Option<int>> value) => value;

    public Shape Shape(Shape shape)
    {
        if (shape is Shape.Line line)
        {
            return new Shape.Line(line.Item2, line.Item1);
        }
        if (shape is Shape.Circle circle)
        {
            return new Shape.Circle { Centre = circle.Centre, Radius = circle.Radius * 2 };
        }
        return new Shape.Dot(1);
    }

    public Colour? Colour(Colour colour) => colour == TestKinds1.Colour.Red ? TestKinds1.Colour.Green : (Colour?)null;

    public Pair Swap(Pair pair)
    {
        if (pair.Item1 == 0)
        {
            throw new DeclaredException<Refusal>(new Refusal.Full { Capacity = 7 });
        }
        return new Pair((byte)pair.Item2, pair.Item1);
    }

    public IReadOnlyList<Result<System.ValueTuple, string>> Settled(Result<byte, string> value)
    {
        return new[]
        {
            Result<System.ValueTuple, string>.Ok(default(System.ValueTuple)),
            Result<System.ValueTuple, string>.Err(value.Value.ToString()),
        };
    }

    public uint Watch(uint steps, IProgress progress)
    {
        for (uint step = 0; step < steps; step++)
        {
            if (!progress.Step(step, "step"))
            {
                return step;
            }
        }
        return steps;
    }

    public uint Import(uint number, string end) => number + (uint)end.Length;

    public ulong Length(Chain chain) => chain.Next == null ? 1 : 1 + Length(chain.Next);

    public void ForgetAll()
    {
    }
}
