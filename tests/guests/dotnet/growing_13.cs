// A plugin that was written when the contract had version 1.3.
// reference: lib/Growing.dll
using System.Collections.Generic;
using System.Linq;
using Growing;
using Polyplug;

public struct Place
{
    public Place(int x, int y, string label)
    {
        X = x;
        Y = y;
        Label = label;
    }

    public int X { get; }

    public int Y { get; }

    public string Label { get; }

    public override string ToString() => $"Place {{ x: {X}, y: {Y}, label: {Text.Maybe(Label)} }}";
}

// Properties for what is newer than version 1.0 have defaults.
public sealed class Item
{
    public ulong Id { get; set; }

    public string Name { get; set; }

    public string Note { get; set; }

    public uint Count { get; set; } = 7;

    public IReadOnlyList<string> Tags { get; set; } = new[] { "old" };

    public Place Place { get; set; } = new Place(-1, 1, "nowhere");

    public override string ToString() =>
        $"Item {{ id: {Id}, name: {Text.Of(Name)}, note: {Text.Maybe(Note)}, count: {Count}, tags: {Text.Of(Tags)}, place: {Place} }}";
}

public sealed class Tree
{
    public Tree(ushort value, List<Tree> children, string label = "leaf", Tree twin = null)
    {
        Value = value;
        Children = children;
        Label = label;
        Twin = twin;
    }

    public ushort Value { get; }

    public List<Tree> Children { get; }

    public string Label { get; }

    public Tree Twin { get; }

    public override string ToString() =>
        $"Tree {{ value: {Value}, children: {Text.Of(Children)}, label: {Text.Of(Label)}, twin: {Text.Maybe(Twin)} }}";
}

public enum Mood
{
    Calm,
    Strange,
    Wild,
    Tired,
}

public enum Colour
{
    Violet,
    Blue,
    Green,
    Red,
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

    public sealed class Group : Shape
    {
        public Group(List<Shape> shapes)
        {
            Shapes = shapes;
        }

        public List<Shape> Shapes { get; }

        public override string ToString() => $"Group({Text.Of(Shapes)})";
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

    public sealed class Gone : Trouble
    {
    }
}

[Plugin("test.growing@1.3")]
[Plugin("test.growing_10@1")]
[Plugin("test.growing_11@1")]
[Plugin("test.growing_12@1")]
[Plugin("test.growing_13@1")]
public sealed class Growing13 : Base<Item, Tree, Mood, Colour, Shape, Trouble>
{
    protected override Item Item(ulong id) => new Item
    {
        Id = id, Name = "item " + id, Note = "three", Count = 3, Tags = new List<string>(), Place = new Place(5, 6, null),
    };

    protected override Trouble Trouble() => new Trouble.Gone();

    public override Mood NewestMood() => Mood.Tired;

    public override Colour NewestColour() => Colour.Violet;

    public override Shape NewestShape() =>
        new Shape.Group(new List<Shape> { new Shape.Dot(), new Shape.Circle { Radius = 1 } });

    public uint Count(Item[] items) => (uint)items.Sum(item => item.Count);

    public Place PlaceOf(Item item) => item.Place;
}
