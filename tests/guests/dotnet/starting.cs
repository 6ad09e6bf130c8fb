// Calls its host as the bundle starts, and as its instances do.
using System;
using Polyplug;

public interface ILogger
{
    uint Log(string line);
}

/// <summary>Is made when the bundle is loaded.</summary>
[Plugin("test.singleton@1", Singleton = true)]
public sealed class Start
{
    public Start()
    {
        Host.Get<ILogger>("test.logger@1").Log("the bundle starts");
    }

    public uint Count() => 0;

    public uint Made() => 1;
}

[Plugin("test.counter@1")]
public sealed class Counter
{
    private static readonly Lazy<ILogger> Logger = new Lazy<ILogger>(() => Host.Get<ILogger>("test.logger@1"));
    private readonly ulong before = Logger.Value.Log("an instance begins");

    public ulong Add(ulong by) => before + by;
}
