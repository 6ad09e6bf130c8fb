// Fails as it starts: the one instance of a singleton is made when its bundle is loaded.
using System;
using Polyplug;

public sealed class Card
{
    public uint Version { get; set; }

    public string Text { get; set; }

    public ulong[] Repeated { get; set; }

    public byte Last { get; set; }
}

[Plugin("test.stamp@1", Singleton = true)]
public sealed class Stamp
{
    public Stamp()
    {
        throw new InvalidOperationException("the start is no good"); // here
    }

    public uint Version() => 1;

    public string Echo(string text) => text;

    public Card Card(string text) => new Card { Version = 1, Text = text, Repeated = new ulong[0], Last = 1 };

    public void GiveUp(string text) => throw new InvalidOperationException(text);
}
