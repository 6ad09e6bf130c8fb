// Is for a contract that only its bundle describes.
using System;
using Polyplug;

public sealed class Card
{
    public Card(uint version, string text, ulong[] repeated, byte last)
    {
        Version = version;
        Text = text;
        Repeated = repeated;
        Last = last;
    }

    public uint Version { get; }

    public string Text { get; }

    public ulong[] Repeated { get; }

    public byte Last { get; }
}

[Plugin("test.shipped@1")]
public sealed class Shipped
{
    public uint Version() => 1;

    public string Echo(string text) => "1 " + text;

    public Card Card(string text) => new Card(1, Echo(text), Array.Empty<ulong>(), 1);

    public void GiveUp(string text) => throw new InvalidOperationException(text);
}
