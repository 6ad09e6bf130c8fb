// A plugin that was written when the contract `test.growing_forms` had version 1.0.
using System.Collections.Generic;
using Polyplug;

public sealed class Pair
{
    public Pair(byte number, string text)
    {
        Number = number;
        Text = text;
    }

    public byte Number { get; }

    public string Text { get; }

    public override string ToString() => Number + " " + Text;
}

public struct PairOfFields
{
    public byte Number;
    public string Text;
}

// A member that the contract does not have is no reason to refuse the class.
public struct Plain
{
    public int X;
    public int Own;
}

public enum Level
{
    Low,
    Middle,
    Lowest,
}

public abstract class Note
{
    public sealed class Empty : Note
    {
    }

    public sealed class Unread : Note
    {
    }

    public sealed class Text : Note
    {
        public Text(string text)
        {
            Value = text;
        }

        public string Value { get; }
    }

    public class Mark : Note
    {
        public uint At { get; set; }
    }

    // No version of the contract has this case.
    public sealed class Secret : Note
    {
    }

    public sealed class LongMark : Mark
    {
    }
}

[Plugin("test.growing_forms@1.0")]
public sealed class Old
{
    public (byte, string) Tuple((byte, string) pair) => pair;

    public Pair Class(Pair pair) => pair;

    public PairOfFields Fields(PairOfFields pair) => pair;

    public string Text(Pair pair) => pair.ToString();

    public Plain Plain(Plain plain) => plain;

    public List<Note> Notes(List<Note> notes) => notes;

    public Note Newer() => new Note.Secret();

    public Note Derived() => new Note.LongMark { At = 1 };

    public Level Level(Level level) => level;

    public Level NewerLevel() => global::Level.Lowest;

    public Level NoLevel() => (Level)99;
}
