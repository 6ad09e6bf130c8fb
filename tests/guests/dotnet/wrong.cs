// Returns what it should not, as far as the compiler lets it.
using System;
using System.Collections.Generic;
using System.Linq;
using Polyplug;

namespace Wrong
{
    public sealed class Order
    {
        public ulong Id { get; set; }
        public string Customer { get; set; }
        public List<Item> Items { get; set; }
        public string Note { get; set; }
        public Colour Colour { get; set; }
        public Shape Shape { get; set; }
        public Dictionary<string, uint> Stock { get; set; }
        public Tuple<byte, string> Size { get; set; }
    }

    public sealed class Item
    {
        public string Name { get; set; }
        public uint Count { get; set; }
        public double Price { get; set; }
    }

    public enum Colour
    {
        Red,
        Green,
        Blue,

        // No case of the contract.
        Purple,
    }

    public sealed class Point
    {
        public double X { get; set; }
        public double Y { get; set; }
    }

    public abstract class Shape
    {
    }

    public sealed class Empty : Shape
    {
    }

    public sealed class Dot : Shape
    {
        public Dot(byte size)
        {
            Size = size;
        }

        public byte Size { get; }
    }

    public sealed class Line : Shape
    {
        public Line(Point from, Point to)
        {
            From = from;
            To = to;
        }

        public Point From { get; }
        public Point To { get; }
    }

    public sealed class Circle : Shape
    {
        public Point Centre { get; set; }
        public double Radius { get; set; }
    }

    public sealed class Named : Shape
    {
        public string Name { get; set; }
        public List<string> Tags { get; set; }
        public Colour Colour { get; set; }
    }

    public sealed class Inside : Shape
    {
        public Inside(Shape inner)
        {
            Inner = inner;
        }

        public Shape Inner { get; }
    }

    /// <summary>No case of the contract.</summary>
    public sealed class Blob : Shape
    {
    }

    public abstract class Refusal
    {
    }

    public sealed class Closed : Refusal
    {
    }

    public sealed class Full : Refusal
    {
        public uint Capacity { get; set; }
    }

    public sealed class Other : Refusal
    {
        public Other(string why, long number)
        {
            Why = why;
            Number = number;
        }

        public string Why { get; }
        public long Number { get; }
    }

    /// <summary>No case of the contract.</summary>
    public sealed class Shut : Refusal
    {
    }

    public sealed class Tree
    {
        public int Value { get; set; }
        public List<Tree> Children { get; set; }
    }

    public interface IMirror
    {
        Order Order(Order order);
    }

    /// <summary>Differs from the contract, whose method has one argument.</summary>
    public interface ILongMirror
    {
        Order Order(Order order, int more);
    }

    /// <summary>Differs from the contract, whose method has a result.</summary>
    public interface ISilentMirror
    {
        void Order(Order order);
    }

    public interface IListener
    {
        uint Hear(string words);
    }

    public interface IDeafListener
    {
        uint Hears(string words);
    }

    public interface IRadio
    {
        void Tune(IListener listener);
    }

    public interface IDeafRadio
    {
        void Tune(IDeafListener listener);
    }

    public interface IProgressRadio
    {
        void Tune(IProgress listener);
    }

    public interface IProgress
    {
        bool Step(uint done, string label);

        void Breaks();

        uint Note(string text);
    }

    public interface IKeeper
    {
        uint Keep(IProgress progress);
    }

    internal static class Failure
    {
        /// <summary>What a call says as it fails.</summary>
        internal static string Of(Action call)
        {
            try
            {
                call();
                return "fine";
            }
            catch (Exception failure)
            {
                return failure.Message;
            }
        }
    }

    [Plugin("test.wrong@1")]
    public sealed class Wrong
    {
        private const string Broken = "x\udcff";

        private static readonly Dictionary<string, Action<Order>> Changes = new Dictionary<string, Action<Order>>
        {
            ["nothing"] = order => { },
            ["item_name"] = order => order.Items[3].Name = null,
            ["item_text"] = order => order.Items[1] = null,
            ["items_text"] = order => order.Items = null,
            ["colour_unknown"] = order => order.Colour = Colour.Purple,
            ["colour_number"] = order => order.Colour = (Colour)(-5),
            ["shape_none"] = order => order.Shape = null,
            ["shape_unknown"] = order => order.Shape = new Blob(),
            ["shape_field"] = order => order.Shape = new Circle { Radius = 1 },
            ["shape_part"] = order => order.Shape = new Line(new Point(), null),
            ["shape_tag"] = order => order.Shape = new Named { Name = "x", Tags = new List<string> { "a", null } },
            ["shape_inner"] = order => order.Shape = new Inside(new Inside(new Blob())),
            ["stock_text"] = order => order.Stock = null,
            ["stock_key"] = order => order.Stock = new Dictionary<string, uint> { { Broken, 1 } },
            ["size_none"] = order => order.Size = null,
            ["size_type"] = order => order.Size = Tuple.Create<byte, string>(3, null),
            ["customer_lacks"] = order => order.Customer = null,
            ["customer_broken"] = order => order.Customer = Broken,
        };

        private static Order WrongOrder(string what)
        {
            var order = new Order
            {
                Id = 1,
                Customer = "x",
                Items = new List<Item>
                {
                    new Item { Name = "ink", Count = 2, Price = 1.25 },
                    new Item { Name = "paper", Count = 500, Price = 0.01 },
                    new Item { Name = "pen", Count = 1, Price = 3 },
                    new Item { Name = "", Count = 0, Price = 0 },
                },
                Colour = Colour.Green,
                Shape = new Dot(3),
                Stock = new Dictionary<string, uint> { { "ink", 7 } },
                Size = Tuple.Create<byte, string>(3, "A4"),
            };
            Changes[what](order);
            return order;
        }

        public Order Order(string what) => what == "none" ? null : WrongOrder(what);

        // Of these types every value is one of the contract's.
        public bool Boolean(string what) => false;

        public sbyte Int8(string what) => 0;

        public uint Nat32(string what) => 0;

        public long Int64(string what) => 0;

        public ulong Nat64(string what) => 0;

        public float Float32(string what) => 0;

        public char Letter(string what) => what == "broken" ? '\udcff' : 'x';

        public string Text(string what) => what == "none" ? null : Broken;

        public byte[] Bytes(string what) => null;

        public void Nothing(string what)
        {
        }

        public Shape Shape(string what) => what == "none" ? null : new Blob();

        public uint Failure(string what)
        {
            switch (what)
            {
                case "unknown":
                    throw new DeclaredException<Refusal>(new Shut());
                case "none":
                    throw new DeclaredException<Refusal>(null);
                case "field":
                    throw new DeclaredException<Refusal>(new Other(null, 1));
                case "type":
                    throw new DeclaredException<int>(5);
                default:
                    return 1;
            }
        }

        public uint Undeclared() => throw new DeclaredException<Refusal>(new Closed());

        public uint Recurse() => throw new InvalidOperationException("an overflow of the stack ends the process");

        public Tree Cyclic()
        {
            var tree = new Tree { Value = 1, Children = new List<Tree>() };
            tree.Children.Add(tree);
            return tree;
        }

        public string Tune(string what)
        {
            return global::Wrong.Failure.Of(() =>
            {
                if (what == "method")
                {
                    Host.Get<IDeafRadio>("test.radio@1").Tune(null);
                }
                Host.Get<IRadio>("test.radio@1").Tune(null);
            });
        }

        public string Argument(string what)
        {
            return global::Wrong.Failure.Of(() =>
            {
                if (what == "many")
                {
                    Host.Get<ILongMirror>("test.mirror@1").Order(WrongOrder("nothing"), 5);
                }
                if (what == "silent")
                {
                    Host.Get<ISilentMirror>("test.mirror@1").Order(WrongOrder("nothing"));
                }
                Host.Get<IMirror>("test.mirror@1").Order(what == "none" ? null : WrongOrder(what));
            });
        }

        public uint Calm(uint number) => number;
    }

    [Plugin("test.clinging@1")]
    public sealed class Clinging
    {
        private IProgress kept;

        public bool Cling(IProgress progress)
        {
            kept = progress;
            return progress.Step(0, "now");
        }

        public string Later() => Failure.Of(() => kept.Step(1, "later"));

        public string Entrust(IProgress progress) => Failure.Of(() => Peer.Get<IKeeper>("test.objects@1").Keep(progress));

        public string Mistake(IProgress progress)
            => Failure.Of(() => Host.Get<IProgressRadio>("test.radio@1").Tune(progress));
    }
}
