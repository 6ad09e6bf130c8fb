// A plugin whose types lack what version 1.0 of the contract has, or need more than any version has.
// reference: lib/Growing.dll
using System.Collections.Generic;
using Growing;
using Polyplug;

// `Nmae` is a misspelling of a field that has no default.
public sealed class Item
{
    public ulong Id { get; set; }

    public string Nmae { get; set; }
}

// No version of the contract has the depth, and the parameter has no default.
public sealed class Tree
{
    public Tree(ushort value, List<Tree> children, int depth)
    {
        Value = value;
        Children = children;
        Depth = depth;
    }

    public ushort Value { get; }

    public List<Tree> Children { get; }

    public int Depth { get; }
}

public enum Mood
{
    Calm,
    Strange,
}

// Green is missing, which was always there.
public enum Colour
{
    Red,
    Blue,
}

// So is the circle.
public abstract class Shape
{
    public sealed class Dot : Shape
    {
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
public sealed class Wrong : Base<Item, Tree, Mood, Colour, Shape, Trouble>
{
    protected override Item Item(ulong id) => new Item();

    protected override Trouble Trouble() => new Trouble.Missing();

    public override Mood NewestMood() => Mood.Calm;

    public override Colour NewestColour() => Colour.Blue;

    public override Shape NewestShape() => new Shape.Dot();
}
