// Values as C# writes them.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Polyplug;

namespace Written
{
    internal sealed class Extremes
    {
        public (sbyte, sbyte) Int8 { get; set; }
        public (short, short) Int16 { get; set; }
        public (int, int) Int32 { get; set; }
        public (long, long) Int64 { get; set; }
        public byte Nat8 { get; set; }
        public ushort Nat16 { get; set; }
        public uint Nat32 { get; set; }
        public ulong Nat64 { get; set; }
        public (long, long) Inexact { get; set; }
        public ulong Beyond { get; set; }
        public (double, double) Infinite { get; set; }
        public (double, float, double) Finite { get; set; }
        public Rune Letter { get; set; }
        public string Text { get; set; }
        public byte[] Bytes { get; set; }
    }

    public sealed class Order
    {
        public ulong Id { get; set; }
        public string Customer { get; set; }
        public IReadOnlyList<Item> Items { get; set; }
        public string Note { get; set; }
        public Colour Colour { get; set; }
        public Shape Shape { get; set; }
        public Dictionary<string, uint> Stock { get; set; }
        public (byte, string) Size { get; set; }
    }

    public sealed class Item
    {
        public Item(string name, uint count, double price)
        {
            Name = name;
            Count = count;
            Price = price;
        }

        public string Name { get; }
        public uint Count { get; }
        public double Price { get; }
    }

    public enum Colour
    {
        Red,
        Green,
        Blue,
    }

    public struct Point
    {
        public readonly double X;
        public readonly double Y;

        public Point(double x, double y)
        {
            X = x;
            Y = y;
        }
    }

    /// <summary>Each case spells itself.</summary>
    public abstract class Shape
    {
        public abstract string Spell();

        protected static string Spell(params object[] words) => string.Join(" ", words.Select(Text));

        private static string Text(object word) => Convert.ToString(word, CultureInfo.InvariantCulture);
    }

    public sealed class Empty : Shape
    {
        public override string Spell() => "empty";
    }

    public sealed class Dot : Shape
    {
        private readonly byte size;

        public Dot(byte size)
        {
            this.size = size;
        }

        public byte Size => size;

        public override string Spell() => Spell("dot", size);
    }

    public sealed class Line : Shape
    {
        public Line(Point from, Point to)
        {
            From = from;
            To = to;
        }

        public readonly Point From;
        public readonly Point To;

        public override string Spell() => Spell("line", From.X, From.Y, To.X, To.Y);
    }

    public sealed class Circle : Shape
    {
        public Circle(Point centre, double radius)
        {
            Centre = centre;
            Radius = radius;
        }

        public Point Centre { get; }
        public double Radius { get; }

        public override string Spell() => Spell("circle", Centre.X, Centre.Y, Radius);
    }

    public sealed class Named : Shape
    {
        public string Name { get; set; }
        public IEnumerable<string> Tags { get; set; }
        public Colour Colour { get; set; }

        public override string Spell() => Spell(Name, string.Join(",", Tags), Colour);
    }

    public sealed class Inside : Shape
    {
        public Inside(Shape inner)
        {
            Inner = inner;
        }

        public Shape Inner { get; }

        public override string Spell() => "inside " + (Inner == null ? "nothing" : Inner.Spell());
    }

    public sealed class Options
    {
        public int? Plain { get; set; }
        public Option<int?> Nested { get; set; }
        public List<string> InList { get; set; }
        public (bool?, byte) InTuple { get; set; }
        public SortedDictionary<string, byte?> InMap { get; set; }
        public Item Boxed { get; set; }
    }

    /// <summary>The arguments of <see cref="Written.Many"/>.</summary>
    public struct Many
    {
        public byte A;
        public string B;
        public float? C;
        public short[] D;
        public Rune E;
        public Item F;
        public Shape G;
        public ulong H;
        public bool I;
        public Colour J;
    }

    [Plugin("test.written@1", Stateless = true)]
    internal sealed class Written
    {
        private static readonly Extremes Ends = new Extremes
        {
            Int8 = (sbyte.MinValue, sbyte.MaxValue),
            Int16 = (short.MinValue, short.MaxValue),
            Int32 = (int.MinValue, int.MaxValue),
            Int64 = (long.MinValue, long.MaxValue),
            Nat8 = byte.MaxValue,
            Nat16 = ushort.MaxValue,
            Nat32 = uint.MaxValue,
            Nat64 = ulong.MaxValue,
            Inexact = (-9007199254740993, 9007199254740993),
            Beyond = 9223372036854775808,
            Infinite = (double.NegativeInfinity, double.PositiveInfinity),
            Finite = (double.MaxValue, float.MaxValue, double.Epsilon),
            Letter = new Rune(0x10ffff),
            Text = "Grüße, 世界 🦀 e\u0301 \0!",
            Bytes = new byte[] { 0, 127, 128, 255 },
        };

        public Extremes Extremes() => Ends;

        public List<string> Differing(Extremes value)
        {
            // Lists differ by their items, and all else by itself.
            return typeof(Extremes).GetProperties()
                .Where(of => !IsSame(of.GetValue(Ends), of.GetValue(value)))
                .Select(of => of.Name.ToLowerInvariant())
                .ToList();
        }

        private static bool IsSame(object first, object second)
            => first is byte[] bytes ? bytes.SequenceEqual((byte[])second) : first.Equals(second);

        public (bool, bool) FloatKind(double value) => (double.IsNaN(value), value == 0 && double.IsNegative(value));

        public (double, double) OddFloats() => (double.NaN, -0.0);

        public double Total(Order order) => order.Items.Sum(item => item.Count * item.Price);

        public Order Order()
        {
            return new Order
            {
                Id = ulong.MaxValue,
                Customer = "Ångström & Söhne",
                Items = new[] { new Item("ink", 2, 1.25), new Item("paper", 500, 0.01), new Item("pen", 1, 3), new Item("", 0, 0) },
                Colour = Colour.Green,
                Shape = new Dot(3),
                Stock = new Dictionary<string, uint> { ["ink"] = 7, ["paper"] = 0 },
                Size = (3, "A4"),
            };
        }

        public IEnumerable<Shape> Shapes()
        {
            yield return new Empty();
            yield return new Dot(3);
            yield return new Line(new Point(0, 1), new Point(2, 3));
            yield return new Circle(new Point(0, 1), 2);
            yield return new Named { Name = "flag", Tags = new HashSet<string> { "a", "b" }, Colour = Colour.Red };
            yield return new Inside(null);
            yield return new Inside(new Inside(new Empty()));
        }

        public string Spell(Shape shape) => shape.Spell();

        public Colour Next(Colour colour) => (Colour)(((int)colour + 1) % 3);

        public string[] Tell(Options options)
        {
            var (flag, number) = options.InTuple;
            return new[]
            {
                "plain=" + Told(options.Plain),
                "nested=" + (options.Nested.HasValue ? "some " + Told(options.Nested.Value) : "none"),
                "in_list=" + string.Join(",", options.InList.Select(Told)),
                "in_tuple=" + Told(flag) + " " + number,
                "in_map=" + string.Join(",", options.InMap.Select(entry => entry.Key + ":" + Told(entry.Value))),
                "boxed=" + Told(options.Boxed?.Name),
            };
        }

        private static string Told(object value) => value == null ? "none" : value.ToString().ToLowerInvariant();

        public Options Options(bool with)
        {
            return new Options
            {
                Plain = with ? 5 : (int?)null,
                Nested = new Option<int?>(with ? 5 : (int?)null),
                InList = new List<string> { null, with ? "a" : null, null },
                InTuple = (with ? false : (bool?)null, 7),
                InMap = new SortedDictionary<string, byte?> { { "a", null }, { "b", with ? (byte)5 : (byte?)null } },
                Boxed = with ? new Item("ink", 1, 0.5) : null,
            };
        }

        public (string, byte[], List<string>, Dictionary<string, uint>) Empty()
            => ("", new byte[0], new List<string>(), new Dictionary<string, uint>());

        public (ulong, ulong) Measure(string text, ReadOnlySpan<byte> bytes)
            => ((ulong)Encoding.UTF8.GetByteCount(text), (ulong)bytes.Length);

        public string Repeat(string text, uint times) => new StringBuilder().Insert(0, text, (int)times).ToString();

        public ReadOnlyMemory<byte> Fill(uint count)
        {
            var bytes = new byte[count];
            bytes.AsSpan().Fill(255);
            return bytes;
        }

        public Many Many(byte a, string b, float? c, ReadOnlySpan<short> d, Rune e, Item f, Shape g, ulong h, bool i, Colour j)
            => new Many { A = a, B = b, C = c, D = d.ToArray(), E = e, F = f, G = g, H = h, I = i, J = j };
    }
}
