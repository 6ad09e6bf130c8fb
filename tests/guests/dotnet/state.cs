// Plugins with state: one that keeps it over a reload, and one that does not.
using System;
using System.Globalization;
using System.Text;
using System.Threading;
using Polyplug;

[Plugin("test.counter@1")]
public sealed class Counter : IMigrate
{
    private readonly object turn = new object();
    private ulong count;

    public ulong Add(ulong by)
    {
        lock (turn)
        {
            return count += by;
        }
    }

    public byte[] Save()
    {
        ulong now = Add(0);
        if (now == 665)
        {
            throw new InvalidOperationException("665 cannot be told");
        }
        return Encoding.UTF8.GetBytes(now.ToString(CultureInfo.InvariantCulture));
    }

    public void Restore(byte[] state, Version from)
    {
        string text = Encoding.UTF8.GetString(state);
        if (text == "666")
        {
            throw new InvalidOperationException($"666 brings bad luck, in version {from.Major}.{from.Minor}");
        }
        count = ulong.Parse(text, CultureInfo.InvariantCulture);
    }
}

[Plugin("test.singleton@1", Singleton = true)]
public sealed class Singleton
{
    private static int made;
    private int asked;

    public Singleton()
    {
        Interlocked.Increment(ref made);
    }

    public uint Count() => (uint)Interlocked.Increment(ref asked);

    public uint Made() => (uint)Volatile.Read(ref made);
}
