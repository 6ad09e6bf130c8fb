// Calls its host and others.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Polyplug;

namespace Reaching
{
    internal sealed class Order : IEquatable<Order>
    {
        public ulong Id;
        public string Customer;
        public List<Item> Items;
        public string Note;
        public Colour Colour;
        public Shape Shape;
        public IReadOnlyDictionary<string, uint> Stock;
        public (byte, string) Size;

        public bool Equals(Order other)
        {
            return Id == other.Id && Customer == other.Customer && Items.SequenceEqual(other.Items) && Note == other.Note
                && Colour == other.Colour && Shape.Equals(other.Shape) && Size.Equals(other.Size)
                && Stock.OrderBy(each => each.Key).SequenceEqual(other.Stock.OrderBy(each => each.Key));
        }

        public override bool Equals(object other) => other is Order order && Equals(order);

        public override int GetHashCode() => Id.GetHashCode();
    }

    /// <summary>A struct is equal to another with the same fields.</summary>
    internal struct Item
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

    internal sealed class Extremes
    {
        public ValueTuple<sbyte, sbyte> Int8;
        public ValueTuple<short, short> Int16;
        public ValueTuple<int, int> Int32;
        public Tuple<long, long> Int64;
        public byte Nat8;
        public ushort Nat16;
        public uint Nat32;
        public ulong Nat64;
        public Tuple<long, long> Inexact;
        public ulong Beyond;
        public ValueTuple<double, double> Infinite;
        public Tuple<double, float, double> Finite;
        public Rune Letter;
        public string Text;
        public byte[] Bytes;

        public override bool Equals(object other)
        {
            return other is Extremes extremes && typeof(Extremes).GetFields().Where(of => of.Name != nameof(Bytes))
                .All(of => of.GetValue(this).Equals(of.GetValue(extremes))) && Bytes.SequenceEqual(extremes.Bytes);
        }

        public override int GetHashCode() => Text.GetHashCode();
    }

    internal enum Colour : ulong
    {
        Red = 1,
        Green = ulong.MaxValue,
        Blue = 2,
    }

    internal struct Point
    {
        public double X { get; set; }
        public double Y { get; set; }
    }

    /// <summary>Shapes are equal if they are of the same case with the same values.</summary>
    internal abstract class Shape
    {
        private readonly object[] values;

        protected Shape(params object[] values)
        {
            this.values = values;
        }

        protected T Value<T>(int number) => (T)values[number];

        public override bool Equals(object other)
            => other is Shape shape && other.GetType() == GetType() && values.SequenceEqual(shape.values);

        public override int GetHashCode() => values.Length;

        internal sealed class Empty : Shape
        {
        }

        internal sealed class Dot : Shape
        {
            public Dot(byte size) : base(size)
            {
            }

            public byte Size => Value<byte>(0);
        }

        internal sealed class Line : Shape
        {
            public Line(Point from, Point to) : base(from, to)
            {
            }

            public Point From => Value<Point>(0);
            public Point To => Value<Point>(1);
        }

        internal sealed class Circle : Shape
        {
            public Circle(Point centre, double radius) : base(centre, radius)
            {
            }

            public Point Centre => Value<Point>(0);
            public double Radius => Value<double>(1);
        }

        internal sealed class Named : Shape
        {
            public Named(string name, IReadOnlyCollection<string> tags, Colour colour) : base(name, string.Join("\n", tags), colour)
            {
            }

            public string Name => Value<string>(0);
            public IReadOnlyCollection<string> Tags => Value<string>(1).Split('\n');
            public Colour Colour => Value<Colour>(2);
        }

        internal sealed class Inside : Shape
        {
            public Inside(Shape inner) : base(inner)
            {
            }

            public Shape Inner => Value<Shape>(0);
        }
    }

    internal abstract class Refusal
    {
        internal sealed class Closed : Refusal
        {
        }

        internal sealed class Full : Refusal
        {
            public uint Capacity;
        }

        internal sealed class Other : Refusal
        {
            public Other(string why, long number)
            {
                Why = why;
                Number = number;
            }

            public string Why { get; }
            public long Number { get; }
        }
    }

    internal abstract class MathError
    {
        internal sealed class DivisionByZero : MathError
        {
        }

        internal sealed class Overflow : MathError
        {
            public Overflow(long at)
            {
                At = at;
            }

            public long At { get; }
        }
    }

    internal interface ILogger
    {
        uint Log(string line);

        void Panics(string words);
    }

    internal interface IMirror
    {
        Order Order(Order order);

        Extremes Extremes(Extremes value);

        string[] Many(byte a, string b, bool c, long d, double e, Rune f, byte? g, ulong h, Colour i);

        [Throws(typeof(Refusal))]
        Shape Shape(Result<Shape, Refusal> shape);
    }

    /// <summary>All that an interface declares, its methods may throw.</summary>
    [Throws(typeof(MathError))]
    internal interface ICalculator
    {
        int Add(int a, int b);

        long Divide(long a, long b);
    }

    internal interface IStamp
    {
        uint Version();
    }

    internal interface IEcho
    {
        uint CallBack(uint depth);
    }

    [Plugin("test.reaching@1")]
    internal sealed class Reaching
    {
        private ICalculator calculator;

        public uint Log(string line) => Told(() => Host.Get<ILogger>("test.logger@1").Log(line));

        public void HostPanics(string words)
        {
            Told(() =>
            {
                Host.Get<ILogger>("test.logger@1").Panics(words);
                return true;
            });
        }

        public void HostPanicsThrough(string words) => Host.Get<ILogger>("test.logger@1").Panics(words);

        public List<bool> Mirrored()
        {
            var mirror = Host.Get<IMirror>("test.mirror@1");
            var order = new Order
            {
                Id = ulong.MaxValue,
                Customer = "Ångström & Söhne",
                Items = new List<Item> { new Item("ink", 2, 1.25), new Item("", 0, 0) },
                Note = null,
                Colour = Colour.Green,
                Shape = new Shape.Dot(3),
                Stock = new SortedDictionary<string, uint> { { "ink", 7 }, { "paper", 0 } },
                Size = (3, "A4"),
            };
            var extremes = new Extremes
            {
                Int8 = (sbyte.MinValue, sbyte.MaxValue),
                Int16 = (short.MinValue, short.MaxValue),
                Int32 = (int.MinValue, int.MaxValue),
                Int64 = Tuple.Create(long.MinValue, long.MaxValue),
                Nat8 = byte.MaxValue,
                Nat16 = ushort.MaxValue,
                Nat32 = uint.MaxValue,
                Nat64 = ulong.MaxValue,
                Inexact = Tuple.Create(-9007199254740993, 9007199254740993),
                Beyond = 9223372036854775808,
                Infinite = (double.NegativeInfinity, double.PositiveInfinity),
                Finite = Tuple.Create(double.MaxValue, float.MaxValue, double.Epsilon),
                Letter = new Rune(0x10ffff),
                Text = "Grüße, 世界 🦀 e\u0301 \0!",
                Bytes = new byte[] { 0, 127, 128, 255 },
            };
            Shape[] shapes =
            {
                new Shape.Empty(),
                new Shape.Dot(3),
                new Shape.Line(new Point { X = 0, Y = 1 }, new Point { X = 2, Y = 3 }),
                new Shape.Circle(new Point { X = 0, Y = 1 }, 2),
                new Shape.Named("flag", new[] { "a", "b" }, Colour.Red),
                new Shape.Inside(null),
                new Shape.Inside(new Shape.Inside(new Shape.Empty())),
            };
            var same = new List<bool> { mirror.Order(order).Equals(order), mirror.Extremes(extremes).Equals(extremes) };
            same.AddRange(shapes.Select(shape => mirror.Shape(Result<Shape, Refusal>.Ok(shape)).Equals(shape)));
            return same;
        }

        public string[] Many()
        {
            var mirror = Host.Get<IMirror>("test.mirror@1");
            return mirror.Many(1, "zwei", true, long.MinValue, 5.5, new Rune('6'), null, ulong.MaxValue, Colour.Blue);
        }

        public string Refused()
        {
            try
            {
                var full = new Refusal.Full { Capacity = 7 };
                Host.Get<IMirror>("test.mirror@1").Shape(Result<Shape, Refusal>.Err(full));
            }
            catch (DeclaredException<Refusal> refused) when (refused.Value is Refusal.Full full)
            {
                return "full " + full.Capacity;
            }
            return "something else";
        }

        public int Add(int a, int b) => Told(() => Peer.Get<ICalculator>("demo.calculator@1").Add(a, b));

        public int AddAgain(int a, int b)
        {
            return Told(() =>
            {
                calculator = calculator ?? Peer.Get<ICalculator>("demo.calculator@1");
                return calculator.Add(a, b);
            });
        }

        public long Divide(long a, long b)
        {
            return Told(() =>
            {
                try
                {
                    return Peer.Get<ICalculator>("demo.calculator@1").Divide(a, b);
                }
                catch (DeclaredException<MathError> none)
                {
                    throw new DeclaredException<string>(
                        none.Value is MathError.Overflow overflow ? "Overflow " + overflow.At : none.Value.GetType().Name);
                }
            });
        }

        public uint Undeclared() => Told(() => Peer.Get<IStamp>("test.stamp@1").Version());

        // The error that the host declares is text, like this method's, and goes through as it is.
        public uint Nested(uint depth) => depth == 0 ? 0 : Told(() => Host.Get<IEcho>("test.echo@1").CallBack(depth)) + 1;

        /// <summary>What a call gives. If it fails, this one's declared error is the failure as text.</summary>
        private static T Told<T>(Func<T> call)
        {
            try
            {
                return call();
            }
            catch (Exception failure) when (!(failure is DeclaredException))
            {
                throw new DeclaredException<string>(failure.Message);
            }
        }
    }
}
