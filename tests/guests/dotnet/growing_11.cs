// A plugin that was written when the contract had version 1.1.
// reference: lib/Growing.dll
using System.Collections.Generic;
using Growing;
using Polyplug;

// By properties.
public sealed class Item
{
    public ulong Id { get; set; }

    public string Name { get; set; }

    public string Note { get; set; }

    public override string ToString() => $"Item {{ id: {Id}, name: {Text.Of(Name)}, note: {Text.Maybe(Note)} }}";
}

public sealed class Tree
{
    public Tree(ushort value, IReadOnlyList<Tree> children)
    {
        Value = value;
        Children = children;
    }

    public ushort Value { get; }

    public IReadOnlyList<Tree> Children { get; }

    public override string ToString() => $"Tree {{ value: {Value}, children: {Text.Of(Children)} }}";
}

public enum Mood
{
    Calm,
    Strange,
    Wild,
}

public enum Colour
{
    Red,
    Green,
    Blue,
}

public abstract class Shape
{
}

public sealed class Dot : Shape
{
    public override string ToString() => "Dot";
}

public sealed class Circle : Shape
{
    public Circle(double radius)
    {
        Radius = radius;
    }

    public double Radius { get; }

    public override string ToString() => $"Circle {{ radius: {Text.Of(Radius)} }}";
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

[Plugin("test.growing@1.1")]
[Plugin("test.growing_10@1")]
[Plugin("test.growing_11@1")]
[Plugin("test.growing_12@1.1")]
[Plugin("test.growing_13@1.1")]
public sealed class Growing11 : Base<Item, Tree, Mood, Colour, Shape, Trouble>
{
    protected override Item Item(ulong id) => new Item { Id = id, Name = "item " + id, Note = "one" };

    protected override Trouble Trouble() => new Trouble.Refused { Why = "no" };

    public override Mood NewestMood() => Mood.Wild;

    public override Colour NewestColour() => Colour.Blue;

    public override Shape NewestShape() => new Circle(2.5);
}
