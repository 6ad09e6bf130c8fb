// Methods with the signatures of their contract, each written in another way than is usual.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Polyplug;

namespace Signatures
{
    /// <summary>Fields are named as in the contract.</summary>
    public struct Point
    {
        public double x, y;
    }

    /// <summary>Of two constructors, the longer one whose parameters are all fields counts.</summary>
    public sealed class Mixed
    {
        public Mixed()
        {
        }

        public Mixed(bool FLAG, long number, byte small, char letter, string text)
        {
            flag = FLAG;
            Number = number;
            Small = small;
            Letter = letter;
            Text = text;
        }

        // No fields: the first parameter is not one.
        public Mixed(string unrelated, bool flag, long number, byte small, char letter, string text, byte[] bytes, ushort last)
        {
            throw new InvalidOperationException(unrelated);
        }

        private readonly bool flag;

        public bool Flag => flag;
        public long Number { get; }
        public byte Small { get; }
        public char Letter { get; }
        public string Text { get; }
        public byte[] Bytes { get; set; }
        public ushort Last { get; set; }

        // What the contract does not have is left alone.
        public string More { get; set; } = "more";

        public int this[int index] => index;
    }

    public enum Colour : byte
    {
        GREEN = 9,
        red = 200,
        Blue = 0,
        Yellow = 1,
    }

    public abstract class Shape
    {
    }

    public class Empty : Shape
    {
    }

    public class Dot : Shape
    {
        public Dot(byte size)
        {
            Size = size;
        }

        public byte Size { get; }
    }

    public class Line : Shape
    {
        public Line(Point from, Point to)
        {
            // The names of the parameters say which property has which.
            To = to;
            From = from;
        }

        public Point To { get; }
        public Point From { get; }
    }

    public class Circle : Shape
    {
        public Point Centre;
        public double Radius;
    }

    public class Named : Shape
    {
        public string Name;
        public IList<string> Tags;
        public Colour Colour;
    }

    public class Inside : Shape
    {
        public Inside(Shape inner)
        {
            Inner = inner;
        }

        public Shape Inner { get; }
    }

    /// <summary>Derives from no case of the contract, and is none.</summary>
    public abstract class Round : Shape
    {
    }

    public abstract class Base
    {
        public int Fewer(int a, int b) => a - b;

        public virtual int More() => 1;

        public string Text(string value) => "hidden";

        public static int Sign(int value) => value;
    }

    public interface ISteps
    {
        // Others of the contract's methods are not needed.
        bool Step(uint done, string label);
    }

    [Plugin("test.signatures@1", Name = "signatures")]
    public class Signatures : Base
    {
        // Names of arguments are the plugin's own.
        public static long Width(long anything, long _) => anything + _;

        public override int More() => 2;

        public new string Text(string value = "") => "new " + value;

        // Of those with the name, one has the signature.
        public uint Sign(uint value) => value;

        public string Sign(string value) => value;

        public T Sign<T>(T value) => value;

        public async Task<int> LaterAsync(int value)
        {
            await Task.Delay(1);
            return value;
        }

        // It returns no task, and so is no method of the contract.
        public string LaterAsync(string value) => value;

        public ValueTask NothingAsync() => new ValueTask(Soon());

        private static async Task Soon()
        {
            await Task.Yield();
        }

        public async Task<ValueTuple> Unit()
        {
            await Task.Yield();
            return default(ValueTuple);
        }

        public Option<int> Maybe(Option<int> value) => value;

        public Option<Option<Option<bool>>> Deep(Option<Option<Option<bool>>> value) => value;

        public ReadOnlySpan<int> Numbers(Of_Numbers value) => value.All();

        public Task<IEnumerable<string>> Texts(params string[] value)
            => Task.FromResult(value.Reverse());

        public SortedDictionary<string, int> Map(SortedDictionary<string, int> value) => value;

        public (byte, string) Tuple(Tuple<byte, string> value) => (value.Item1, value.Item2);

        public Mixed Record(Mixed value) => new Mixed(value.Flag, value.Number, value.Small, value.Letter, value.Text + value.More)
        {
            Bytes = value.Bytes, Last = value.Last,
        };

        public Colour Case(Colour value) => value;

        public Shape Variant(Shape value) => value;

        public uint Object(Func<string, uint> listener, ISteps progress)
            => progress.Step(1, "x") ? listener("words") : 0;

        public ulong Address(ReadOnlySpan<byte> value)
        {
            unsafe
            {
                fixed (byte* start = value)
                {
                    return (ulong)start;
                }
            }
        }

        public ulong Copied(Memory<byte> value)
        {
            // May be changed, as a copy.
            value.Span.Fill(7);
            using (var pin = value.Pin())
            {
                unsafe
                {
                    return (ulong)pin.Pointer;
                }
            }
        }

        public void Fails(string value)
        {
            throw new DeclaredException<string>(value);
        }
    }

    /// <summary>A record, which may be a class of any name.</summary>
    public sealed class Of_Numbers
    {
        private readonly List<int> numbers;

        public Of_Numbers(List<int> numbers)
        {
            this.numbers = numbers;
        }

        public List<int> Numbers => numbers;

        internal int[] All() => numbers.ToArray();
    }
}
