// Errors and exceptions.
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;
using Polyplug;

public abstract class Refusal
{
    public class Closed : Refusal
    {
    }

    public class Full : Refusal
    {
        public uint Capacity { get; set; }
    }

    public class Other : Refusal
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

public enum Colour
{
    Red,
    Green,
    Blue,
}

public struct Problem
{
    public long Code;
    public string Text;
}

/// <summary>An exception of this plugin's own is the error that it stands for.</summary>
public sealed class ProblemException : DeclaredException<Problem>
{
    public ProblemException(long code, string text) : base(new Problem { Code = code, Text = text })
    {
    }
}

[Plugin("test.failing@1")]
public class Failing
{
    public uint Variant(string which)
    {
        switch (which)
        {
            case "closed":
                throw new DeclaredException<Refusal>(new Refusal.Closed());
            case "full":
                throw new DeclaredException<Refusal>(new Refusal.Full { Capacity = 7 });
            case "other":
                throw new DeclaredException<Refusal>(new Refusal.Other("why", long.MinValue));
            default:
                return 1;
        }
    }

    // What is thrown in a task, after it was waited for.
    public async Task<string> CaseAsync()
    {
        await Task.Yield();
        throw new DeclaredException<Colour>(Colour.Blue);
    }

    public uint Record() => throw new ProblemException(long.MaxValue, "no");

    public uint Text() => throw new DeclaredException<string>("no: 5");

    public string Number() => throw new DeclaredException<ulong>(ulong.MaxValue);

    public void List() => throw new DeclaredException<IEnumerable<string>>(new[] { "a", "b" });

    public void Tuple() => throw new DeclaredException<(byte, string)>((5, null));

    // An optimised method may become a part of its caller, or give its frame to what it calls last. It has no line then.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public string Throw(string words)
    {
        Fail(words);
        return words;
    }

    public uint RaiseInstead(string words)
    {
        Fail(words);
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public void RaiseNothing(string words)
    {
        Fail(words);
    }

    public static uint Calm(uint number) => number;

    private static void Fail(string words)
    {
        throw new InvalidOperationException(words); // here
    }
}
