// Version 2 of the bundle that is reloaded.
using System;
using System.Linq;
using System.Text;
using Polyplug;

public sealed class Card
{
    public uint Version;
    public string Text;
    public ulong[] Repeated;
    public byte Last;
}

[Plugin("test.stamp@1")]
public sealed class Stamp
{
    private const byte Own = 2;

    public uint Version() => Own;

    public string Echo(string text) => Own + " " + text;

    public Card Card(string text)
    {
        var repeated = Enumerable.Repeat<ulong>(Own, Encoding.UTF8.GetByteCount(text));
        return new Card { Version = Own, Text = Echo(text), Repeated = repeated.ToArray(), Last = Own };
    }

    public void GiveUp(string text)
    {
        throw new InvalidOperationException(Echo(text));
    }
}
