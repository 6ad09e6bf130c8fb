// A plugin that was written when the contract had version 1.2.
// reference: lib/Growing.dll
using System.Collections.Generic;
using System.Linq;
using Growing;
using Polyplug;

// Parameters for what is newer than version 1.0 have defaults.
public sealed class Item
{
    public Item(ulong id, string name, string note = null, uint count = 7, List<string> tags = null)
    {
        Id = id;
        Name = name;
        Note = note;
        Count = count;
        Tags = tags ?? new List<string> { "old" };
    }

    public ulong Id { get; }

    public string Name { get; }

    public string Note { get; }

    public uint Count { get; }

    public List<string> Tags { get; }

    public override string ToString() =>
        $"Item {{ id: {Id}, name: {Text.Of(Name)}, note: {Text.Maybe(Note)}, count: {Count}, tags: {Text.Of(Tags)} }}";
}

public sealed class Tree
{
    public ushort Value { get; set; }

    public Tree[] Children { get; set; }

    public string Label { get; set; } = "leaf";

    public override string ToString() =>
        $"Tree {{ value: {Value}, children: {Text.Of(Children)}, label: {Text.Of(Label)} }}";
}

public enum Mood
{
    Wild,
    Calm,
    Strange,
}

public enum Colour
{
    Red,
    Green,
    Blue,
}

public abstract class Shape
{
    public sealed class Dot : Shape
    {
        public override string ToString() => "Dot";
    }

    public sealed class Circle : Shape
    {
        public double Radius { get; set; }

        public override string ToString() => $"Circle {{ radius: {Text.Of(Radius)} }}";
    }

    public sealed class Square : Shape
    {
        public (sbyte, sbyte) Corner { get; set; }

        public Item Item { get; set; }

        public override string ToString() => $"Square {{ corner: {Corner}, item: {Item} }}";
    }
}

public abstract class Trouble
{
    public sealed class Missing : Trouble
    {
    }

    public sealed class Refused : Trouble
    {
        public string Why { get; set; }
    }

    public sealed class Broken : Trouble
    {
        public Item Item { get; set; }
    }
}

[Plugin("test.growing@1.2")]
[Plugin("test.growing_10@1")]
[Plugin("test.growing_11@1")]
[Plugin("test.growing_12@1")]
[Plugin("test.growing_13@1.2")]
public sealed class Growing12 : Base<Item, Tree, Mood, Colour, Shape, Trouble>
{
    protected override Item Item(ulong id) => new Item(id, "item " + id, "two", 2, new List<string> { "a", "b" });

    protected override Trouble Trouble() => new Trouble.Broken { Item = Item(8) };

    public override Mood NewestMood() => Mood.Wild;

    public override Colour NewestColour() => Colour.Blue;

    public override Shape NewestShape() => new Shape.Square { Corner = (-3, 4), Item = Item(9) };

    public uint Count(Item[] items) => (uint)items.Sum(item => item.Count);
}
