// Returns what it is given, of every type; and measures how deep values are.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Polyplug;
using Eight = System.ValueTuple<byte, string, System.Collections.Generic.List<int>, string,
    System.ValueTuple<byte, System.ValueTuple<ushort, byte>>, System.Collections.Generic.Dictionary<System.Text.Rune, byte>,
    Polyplug.Result<byte, string>, System.ValueTuple<ulong>>;

// Types for records are written in each way that there is: fields or properties, settable or by a constructor.
public struct Point
{
    public double X;
    public double Y;
}

public readonly struct Pixel
{
    public Pixel(byte red, byte green, byte blue)
    {
        Red = red;
        Green = green;
        Blue = blue;
    }

    public byte Red { get; }

    public byte Green { get; }

    public byte Blue { get; }
}

public sealed class Mixed
{
    // The parameters have an order of their own.
    public Mixed(ushort last, string text, byte[] bytes, Rune letter, byte small, bool flag, long number)
    {
        Last = last;
        Text = text;
        Bytes = bytes;
        Letter = letter;
        Small = small;
        Flag = flag;
        Number = number;
    }

    public bool Flag { get; }

    public long Number { get; }

    public byte Small { get; }

    public Rune Letter { get; }

    public string Text { get; }

    public byte[] Bytes { get; }

    public ushort Last { get; }
}

public sealed class Wrapper
{
    public Wrapper(string text)
    {
        Text = text;
    }

    public string Text { get; }
}

internal struct Pair
{
    public Pair(byte small, ulong large)
    {
        Small = small;
        Large = large;
    }

    public byte Small { get; }

    public ulong Large { get; }
}

internal sealed class Nested
{
    public Nested(Mixed mixed)
    {
        Mixed = mixed;
    }

    public Mixed Mixed { get; }

    public IReadOnlyList<Point> Points { get; set; }

    public Pair? Maybe { get; set; }

    public (Pixel, Wrapper) Tuple { get; set; }

    // As in the contract, though it is no name of C#.
    public SortedDictionary<string, Point> by_name = new SortedDictionary<string, Point>();

    public Pair Boxed = default(Pair);

    public Result<Point, Wrapper> Outcome { get; set; }

    public Shape Shape { get; set; }

    public ValueTuple Nothing = default(ValueTuple);
}

/// <summary>The order differs from the contract's, and so do the numbers.</summary>
public enum Colour : short
{
    Blue = -7,
    Green = 100,
    Red,
}

public abstract class Shape
{
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
        public string Name;
        public string[] Tags;
        public Colour Colour;
    }

    public sealed class Inside : Shape
    {
        public Inside(Shape inner)
        {
            Inner = inner;
        }

        public Shape Inner { get; }
    }
}

/// <summary>The cases stand beside it.</summary>
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

public sealed class Tree
{
    public int Value { get; set; }

    public List<Tree> Children { get; set; }
}

public sealed class Chain
{
    public Chain(ulong number, Chain next)
    {
        Number = number;
        Next = next;
    }

    public ulong Number { get; }

    public Chain Next { get; }
}

public sealed class Folder
{
    public byte Size = 1;
    public IReadOnlyDictionary<string, Folder> Folders = new Dictionary<string, Folder>();
    public Dictionary<ushort, Folder> Versions = new Dictionary<ushort, Folder>();
}

public sealed class Family
{
    public string Name { get; set; }

    public List<(byte, Family)> Pairs { get; set; }

    public Family[] Maybe { get; set; }

    public ICollection<Result<Family, byte>> Outcomes { get; set; }
}

public abstract class Document
{
    public sealed class Null : Document
    {
    }

    public sealed class Flag : Document
    {
        public Flag(bool value)
        {
            Value = value;
        }

        public bool Value { get; }
    }

    public sealed class Number : Document
    {
        public Number(double value)
        {
            Value = value;
        }

        public double Value { get; }
    }

    public sealed class Text : Document
    {
        public Text(string value)
        {
            Value = value;
        }

        public string Value { get; }
    }

    public sealed class List : Document
    {
        public List(IReadOnlyList<Document> items)
        {
            Items = items;
        }

        public IReadOnlyList<Document> Items { get; }
    }

    public sealed class Object : Document
    {
        public Object(IDictionary<string, Document> members)
        {
            Members = members;
        }

        public IDictionary<string, Document> Members { get; }
    }
}

public sealed class Onion
{
    public double[] Rings { get; set; }

    public ReadOnlyMemory<byte> Skin { get; set; }

    public Onion Inside { get; set; }
}

[Plugin("test.types@1")]
internal sealed class Types
{
    public bool Boolean(bool value) => value;
    public sbyte Int8(sbyte value) => value;
    public short Int16(short value) => value;
    public int Int32(int value) => value;
    public long Int64(long value) => value;
    public byte Nat8(byte value) => value;
    public ushort Nat16(ushort value) => value;
    public static uint Nat32(uint value) => value;
    public static ulong Nat64(ulong value) => value;
    public float Float32(float value) => value;
    public double Float64(double value) => value;
    public Rune Letter(Rune value) => value;
    public string Text(string value) => value;
    public ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> value) => value;

    public bool[] ListBoolean(bool[] value) => value;
    public List<sbyte> ListInt8(List<sbyte> value) => value;
    public IList<short> ListInt16(IList<short> value) => value;
    public IReadOnlyList<int> ListInt32(IReadOnlyList<int> value) => value;
    public ReadOnlySpan<long> ListInt64(ReadOnlySpan<long> value) => value;
    public Memory<ushort> ListNat16(Memory<ushort> value) => value;
    public ReadOnlyMemory<uint> ListNat32(ReadOnlyMemory<uint> value) => value;
    public IEnumerable<ulong> ListNat64(IEnumerable<ulong> value) => value.Select(number => number);
    public Span<float> ListFloat32(Span<float> value) => value;
    public ICollection<double> ListFloat64(ICollection<double> value) => value;
    public IReadOnlyCollection<Rune> ListLetter(IReadOnlyCollection<Rune> value) => value;
    public List<string> ListText(string[] value) => value.ToList();
    public byte[][] ListBytes(IReadOnlyList<byte[]> value) => value.ToArray();
    public List<List<int[]>> ListList(List<List<int[]>> value) => value;
    public Point[] ListPoint(Point[] value) => value;
    public List<Pixel> ListPixel(IEnumerable<Pixel> value) => new List<Pixel>(value);
    public IEnumerable<Mixed> ListMixed(List<Mixed> value) => value;
    public (byte, ulong)[] ListPair((byte, ulong)[] value) => value;
    public List<Nested> ListNested(List<Nested> value) => value;
    public Colour[] ListColour(Colour[] value) => value;
    public IEnumerable<Shape> ListShape(List<Shape> value) => value;
    public long?[] ListOption(List<long?> value) => value.ToArray();
    public List<Point> ListBox(List<Point> value) => value;
    public List<Point?> ListOptionBox(List<Point?> value) => value;
    public List<Tuple<byte, string>> ListTuple((byte, string)[] value) => value.Select(each => each.ToTuple()).ToList();
    public IList<(uint, float)> ListPlainTuple(IList<(uint, float)> value) => value;
    public List<SortedDictionary<byte, string>> ListMap(List<SortedDictionary<byte, string>> value) => value;
    public Result<ValueTuple, Refusal>[] ListResult(Result<ValueTuple, Refusal>[] value) => value;

    public Option<ValueTuple> OptionUnit(Option<ValueTuple> value) => value;
    public bool? OptionBoolean(bool? value) => value;
    public sbyte? OptionInt8(sbyte? value) => value;
    public short? OptionInt16(short? value) => value;
    public int? OptionInt32(int? value) => value;
    public long? OptionInt64(long? value) => value;
    public byte? OptionNat8(byte? value) => value;
    public ushort? OptionNat16(ushort? value) => value;
    public uint? OptionNat32(uint? value) => value;
    public Option<ulong> OptionNat64(ulong? value) => value.HasValue ? value.Value : Option<ulong>.None;
    public float? OptionFloat32(float? value) => value;
    public double? OptionFloat64(double? value) => value;
    public Rune? OptionLetter(Rune? value) => value;
    public string OptionText(string value) => value;
    public byte[] OptionBytes(byte[] value) => value;
    public List<string> OptionList(List<string> value) => value;
    public Point? OptionPoint(Point? value) => value;
    public Mixed OptionMixed(Mixed value) => value;
    public Colour? OptionColour(Colour? value) => value;
    public Shape OptionShape(Shape value) => value;
    public (sbyte, long)? OptionTuple((sbyte, long)? value) => value;
    public IReadOnlyDictionary<string, int> OptionMap(Dictionary<string, int> value) => value;
    public Result<int, string>? OptionResult(Result<int, string>? value) => value;
    public Option<int?> OptionOption(Option<int?> value) => value;
    public Option<string> OptionOptionText(Option<string> value) => value;
    public Option<Option<bool?>> OptionOptionOption(Option<Option<bool?>> value) => value;
    public Point? OptionBox(Point? value) => value;
    public Option<string> OptionBoxText(Option<string> value) => value;
    public byte? OptionBoxBox(byte? value) => value;
    public Option<Option<Point>> OptionOptionBox(Option<Option<Point>> value) => value;
    public Option<ushort?> OptionBoxOption(Option<ushort?> value) => value;
    public long Boxed(long value) => value;
    public Shape BoxedShape(Shape value) => value;

    public ValueTuple<string> Tuple1(Tuple<string> value) => new ValueTuple<string>(value.Item1);
    public (byte, ulong) Tuple2((byte, ulong) value) => value;
    public (bool flag, string text, short number) Tuple3((bool, string, short) value) => value;
    public Tuple<float, byte[], Rune, byte> Tuple4(Tuple<float, byte[], Rune, byte> value) => value;
    public (byte, ushort, uint, ulong, byte) Tuple5((byte, ushort, uint, ulong, byte) value) => value;
    public (byte?, Point, Colour, Shape, string, sbyte) Tuple6((byte?, Point, Colour, Shape, string, sbyte) value) => value;
    public (sbyte, short, int, long, float, double, bool) Tuple7((sbyte, short, int, long, float, double, bool) value) => value;

    public Eight Tuple8(Eight value) => value;

    public Dictionary<bool, string> HashBoolean(Dictionary<bool, string> value) => value;
    public IDictionary<sbyte, ulong> HashInt8(IDictionary<sbyte, ulong> value) => value;
    public IReadOnlyDictionary<short, byte> HashInt16(IReadOnlyDictionary<short, byte> value) => value;
    public SortedDictionary<int, byte[]> HashInt32(SortedDictionary<int, byte[]> value) => value;
    public Dictionary<long, long> HashInt64(IDictionary<long, long> value) => new Dictionary<long, long>(value);
    public Dictionary<byte, Point> HashNat8(Dictionary<byte, Point> value) => value;
    public Dictionary<ushort, Mixed> HashNat16(Dictionary<ushort, Mixed> value) => value;
    public Dictionary<uint, ulong?> HashNat32(Dictionary<uint, ulong?> value) => value;
    public Dictionary<ulong, bool> HashNat64(Dictionary<ulong, bool> value) => value;
    public Dictionary<Rune, Rune> HashLetter(Dictionary<Rune, Rune> value) => value;
    public Dictionary<string, Shape> HashText(Dictionary<string, Shape> value) => value;
    public SortedDictionary<bool, byte> TreeBoolean(SortedDictionary<bool, byte> value) => value;
    public SortedDictionary<sbyte, string> TreeInt8(SortedDictionary<sbyte, string> value) => value;
    public SortedDictionary<short, long> TreeInt16(SortedDictionary<short, long> value) => value;
    public IDictionary<int, Colour> TreeInt32(SortedDictionary<int, Colour> value) => value;
    public SortedDictionary<long, byte> TreeInt64(SortedDictionary<long, byte> value) => value;
    public SortedDictionary<byte, (byte, uint)> TreeNat8(SortedDictionary<byte, (byte, uint)> value) => value;
    public SortedDictionary<ushort, List<string>> TreeNat16(SortedDictionary<ushort, List<string>> value) => value;
    public SortedDictionary<uint, ValueTuple> TreeNat32(SortedDictionary<uint, ValueTuple> value) => value;
    public SortedDictionary<ulong, Chain> TreeNat64(SortedDictionary<ulong, Chain> value) => value;
    public SortedDictionary<Rune, Result<byte, ulong>> TreeLetter(SortedDictionary<Rune, Result<byte, ulong>> value) => value;

    public SortedDictionary<string, SortedDictionary<string, byte>> TreeText(
        SortedDictionary<string, SortedDictionary<string, byte>> value) => value;

    public Point Point(Point value) => value;
    public Pixel Pixel(Pixel value) => value;
    public Mixed Mixed(Mixed value) => value;
    public ValueTuple<string> Wrapper(Wrapper value) => new ValueTuple<string>(value.Text);
    public Pair Pair(Pair value) => value;
    public Nested Nested(Nested value) => value;
    public Colour Colour(Colour value) => value;
    public Shape Shape(Shape value) => value;

    // Methods that return a result throw its error, and those that are waited for may do so later.
    public void ResultUnit(Result<ValueTuple, ValueTuple> value) => Given(value);

    public async Task ResultUnitTextAsync(Result<ValueTuple, string> value)
    {
        await Task.Yield();
        Given(value);
    }

    public async Task<long> ResultNumberAsync(Result<long, Refusal> value)
    {
        await Task.Delay(1);
        return Given(value);
    }

    public async ValueTask<byte> ResultSmall(Result<byte, ushort> value)
    {
        await Task.Yield();
        return Given(value);
    }

    public Task<Mixed> ResultRecord(Result<Mixed, Nested> value) => Task.FromResult(Given(value));

    public ValueTask<List<Point>> ResultListAsync(Result<List<Point>, Colour> value)
        => new ValueTask<List<Point>>(Given(value));

    public Result<byte, string> ResultResult(Result<Result<byte, string>, ulong?> value) => Given(value);

    public Tree Tree(Tree value) => value;
    public Chain Chain(Chain value) => value;
    public Chain OptionBoxChain(Chain value) => value;
    public Folder Folder(Folder value) => value;
    public Family Family(Family value) => value;
    public Document Document(Document value) => value;

    private static T Given<T, E>(Result<T, E> result) => result.IsOk ? result.Value : throw new DeclaredException<E>(result.Error);
}

[Plugin("test.depth@1")]
public sealed class Depth
{
    public ulong MeasureTree(Tree value) => 1 + value.Children.Select(MeasureTree).DefaultIfEmpty().Max();

    public ulong MeasureFolder(Folder value) => 1 + value.Folders.Values.Select(MeasureFolder).DefaultIfEmpty().Max();

    public ulong MeasureChain(Chain value)
    {
        ulong length = 0;
        for (; value != null; value = value.Next)
        {
            length++;
        }
        return length;
    }

    public ulong MeasureOnion(Onion value)
    {
        ulong layers = 0;
        for (; value != null; value = value.Inside)
        {
            layers++;
        }
        return layers;
    }

    public Tree Tree(ulong depth)
    {
        var tree = new Tree { Children = new List<Tree>() };
        for (int value = 1; value < (int)depth; value++)
        {
            tree = new Tree { Value = value, Children = new List<Tree> { tree } };
        }
        return tree;
    }

    public Chain Chain(ulong length)
    {
        var chain = new Chain(0, null);
        for (ulong number = 1; number < length; number++)
        {
            chain = new Chain(number, chain);
        }
        return chain;
    }

    public Onion Onion(ulong layers, bool rings)
    {
        Onion onion = null;
        for (ulong layer = 0; layer < layers; layer++)
        {
            onion = new Onion { Rings = rings ? new[] { 1.5 } : new double[0], Skin = new byte[] { 1, 2 }, Inside = onion };
        }
        return onion;
    }

    public Folder Folder(ulong depth)
    {
        var folder = new Folder();
        for (ulong level = 1; level < depth; level++)
        {
            folder = new Folder { Folders = new Dictionary<string, Folder> { { "inner", folder } } };
        }
        return folder;
    }
}
