// A plugin that was written when the contract had version 1.0.
// reference: lib/Growing.dll
using System.Collections.Generic;
using Growing;
using Polyplug;

// By the parameters of a constructor.
public sealed class Item
{
    public Item(ulong id, string name)
    {
        Id = id;
        Name = name;
    }

    public ulong Id { get; }

    public string Name { get; }

    public override string ToString() => $"Item {{ id: {Id}, name: {Text.Of(Name)} }}";
}

// A struct without a constructor.
public struct Tree
{
    public ushort Value;
    public List<Tree> Children;

    public override string ToString() => $"Tree {{ value: {Value}, children: {Text.Of(Children)} }}";
}

public enum Mood
{
    Strange,
    Calm,
}

public enum Colour
{
    Red,
    Green,
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
}

[Plugin("test.growing@1.0")]
[Plugin("test.growing_10@1")]
[Plugin("test.growing_11@1.0")]
[Plugin("test.growing_12@1.0")]
[Plugin("test.growing_13@1.0")]
public sealed class Growing10 : Base<Item, Tree, Mood, Colour, Shape, Trouble>
{
    protected override Item Item(ulong id) => new Item(id, "item " + id);

    protected override Trouble Trouble() => new Trouble.Refused { Why = "no" };

    public override Mood NewestMood() => Mood.Strange;

    public override Colour NewestColour() => Colour.Green;

    public override Shape NewestShape() => new Shape.Circle { Radius = 2.5 };
}
