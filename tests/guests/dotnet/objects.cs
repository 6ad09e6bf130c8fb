// Calls objects, and gives some of its own.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Polyplug;

/// <summary>A kept object is released by <c>Dispose</c>, or by the garbage collector some time later.</summary>
public interface IProgress : IDisposable
{
    bool Step(uint done, string label);

    void Breaks();

    // The error is a text, so that no attribute is needed.
    uint Note(string text);
}

public interface IListener
{
    uint Hear(string words);
}

/// <summary>The provider of this contract in another bundle.</summary>
internal interface IKeeper
{
    uint Keep(IProgress progress);

    uint Work(uint steps, IProgress progress);
}

internal interface IRadio
{
    // An object with one method may be a function.
    uint Play(string words, Func<string, uint> listener);

    void Tune(IListener listener);
}

/// <summary>What this plugin gives to others: says yes to one label.</summary>
internal sealed class Labelled : IProgress
{
    private readonly string label;

    internal Labelled(string label)
    {
        this.label = label;
    }

    public bool Step(uint done, string label) => label == this.label;

    public void Breaks() => throw new InvalidOperationException("it broke");

    public uint Note(string text) => throw new DeclaredException<string>(text);

    public void Dispose()
    {
    }
}

/// <summary>Says yes so many times.</summary>
internal sealed class Counted : IProgress
{
    private int left;

    internal Counted(int times)
    {
        left = times;
    }

    // Others see what the interface has, and neither this nor the constructor.
    public int Left => left;

    bool IProgress.Step(uint done, string label) => Interlocked.Decrement(ref left) >= 0;

    void IProgress.Breaks() => throw new InvalidOperationException("it broke");

    uint IProgress.Note(string text) => throw new DeclaredException<string>(text);

    void IDisposable.Dispose()
    {
    }
}

[Plugin("test.objects@1", Singleton = true)]
internal sealed class Objects : IListener
{
    private readonly List<IProgress> kept = new List<IProgress>();
    private int heard;

    public uint Work(uint steps, IProgress progress)
    {
        for (uint step = 0; step < steps; step++)
        {
            if (!progress.Step(step, "working"))
            {
                return step;
            }
        }
        return steps;
    }

    public IEnumerable<string> Notes(string text, IProgress first, IProgress second)
    {
        // The lent objects are called while the result is read, which is a part of the call.
        foreach (IProgress progress in new[] { first, second })
        {
            string note;
            try
            {
                note = progress.Note(text).ToString();
            }
            catch (DeclaredException<string> refused)
            {
                note = "no: " + refused.Value;
            }
            yield return note;
        }
    }

    public void Provoke(IProgress progress) => progress.Breaks();

    public string Catch(IProgress progress)
    {
        try
        {
            progress.Breaks();
            return "nothing";
        }
        catch (CallException failure)
        {
            return failure.Message;
        }
    }

    public uint Keep(IProgress progress)
    {
        lock (kept)
        {
            kept.Add(progress);
            return (uint)kept.Count;
        }
    }

    public List<Result<bool, string>> TellAll(string label)
    {
        IProgress[] all;
        lock (kept)
        {
            all = kept.ToArray();
        }
        return all.Select(progress => Told(progress, label)).ToList();
    }

    private static Result<bool, string> Told(IProgress progress, string label)
    {
        try
        {
            return Result<bool, string>.Ok(progress.Step(0, label));
        }
        catch (CallException failure)
        {
            return Result<bool, string>.Err(failure.Message);
        }
    }

    public void Forget()
    {
        lock (kept)
        {
            kept.ForEach(progress => progress.Dispose());
            kept.Clear();
        }
    }

    public uint Plant() => Told(() => Keeper.Keep(new Labelled("planted")));

    public uint Lend(uint steps) => Told(() => Keeper.Work(steps, new Counted(2)));

    public uint PassOn(uint steps, IProgress progress) => Told(() => Keeper.Work(steps, progress));

    private static IKeeper Keeper => Peer.Get<IKeeper>("test.objects@1");

    /// <summary>What a call gives. If it fails, this one's declared error is the failure as text.</summary>
    private static uint Told(Func<uint> call)
    {
        try
        {
            return call();
        }
        catch (CallException failure)
        {
            throw new DeclaredException<string>(failure.Message);
        }
    }

    public uint Hear(string words)
    {
        Interlocked.Increment(ref heard);
        switch (words)
        {
            case "!":
                throw new InvalidOperationException("too loud");
            case "":
                throw new DeclaredException<string>("silence");
            default:
                return (uint)Encoding.UTF8.GetByteCount(words);
        }
    }

    public uint Listen(string words) => Told(() => Host.Get<IRadio>("test.radio@1").Play(words, Hear));

    public void Subscribe() => Host.Get<IRadio>("test.radio@1").Tune(this);

    public uint Heard() => (uint)Volatile.Read(ref heard);
}
