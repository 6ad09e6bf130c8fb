// A plugin that was written for a version of the contract `test.growing_forms` that no host knows.
using System;
using System.Collections.Generic;
using Polyplug;

public sealed class Pair
{
    public Pair(byte number, string text)
    {
        Number = number;
        Text = text;
    }

    public Pair(
        byte number, string text, ushort size, List<string> tags, long length = -5, string more = "more", string none = null,
        DayOfWeek day = DayOfWeek.Friday, DayOfWeek? maybe = DayOfWeek.Monday, double? number2 = 2.5, char letter = 'x',
        decimal price = 1.25m, DateTime time = default(DateTime), Guid id = default(Guid), byte[] bytes = null, bool? no = null)
        : this(number, text)
    {
        Size = size;
        Tags = tags;
        More = string.Join(" ", new object[]
        {
            length, more, none ?? "null", day, maybe, number2.Value.ToString(System.Globalization.CultureInfo.InvariantCulture),
            letter, price.ToString(System.Globalization.CultureInfo.InvariantCulture), time.Ticks, id == Guid.Empty, bytes == null,
            no.HasValue,
        });
    }

    public byte Number { get; }

    public string Text { get; }

    public ushort Size { get; }

    public List<string> Tags { get; }

    public string More { get; }

    public override string ToString() => $"{Number} {Text} {Size} {Tags.Count}, {More}";
}

public struct PairOfFields
{
    public byte Number;
    public string Text;
    public ushort Size;
    public string[] Tags;
}

public struct Plain
{
    public Plain(int x, long y, int z = 4)
    {
        X = x;
        Y = y + z;
    }

    public int X { get; }

    public long Y { get; }
}

public enum Level
{
    Lowest,
    Low,
    Middle,
    High,
    Highest,
}

public abstract class Note
{
    public sealed class Empty : Note
    {
        public Empty(string reason = "none")
        {
            Reason = reason;
        }

        public string Reason { get; }
    }

    public sealed class Unread : Note
    {
    }

    public sealed class Text : Note
    {
        public Text(string text, byte size, bool isBold = true)
        {
            Value = text;
            Size = size;
        }

        public string Value { get; }

        public byte Size { get; }
    }

    public sealed class Mark : Note
    {
        public uint At { get; set; }

        public string Label { get; set; }

        public string Colour { get; set; }
    }

    public sealed class Tagged : Note
    {
        public Tagged(List<string> tags)
        {
            Tags = tags;
        }

        public List<string> Tags { get; }
    }

    public sealed class Secret : Note
    {
        public string Words { get; set; }
    }
}

[Plugin("test.growing_forms@1")]
public sealed class New
{
    public (byte, string, ushort, List<string>) Tuple((byte, string, ushort, List<string>) pair) => pair;

    public Pair Class(Pair pair) => pair;

    public PairOfFields Fields(PairOfFields pair) => pair;

    public string Text(Pair pair) => pair.ToString();

    public Plain Plain(Plain plain) => plain;

    public List<Note> Notes(List<Note> notes) => notes;

    public Note Newer() => new Note.Secret { Words = "x" };

    public Note Derived() => new Note.Empty();

    public Level Level(Level level) => level;

    public Level NewerLevel() => global::Level.Highest;

    public Level NoLevel() => (Level)99;
}
