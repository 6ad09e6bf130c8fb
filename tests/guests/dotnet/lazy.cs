// Collections that are made while they are read, or that lie about themselves.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using Polyplug;

/// <summary>Says that it has fewer entries than it has, or more.</summary>
internal sealed class Liar : IReadOnlyDictionary<string, int>
{
    private readonly int said;

    internal Liar(int said)
    {
        this.said = said;
    }

    public int Count => said;
    public int this[string key] => 1;
    public IEnumerable<string> Keys => this.Select(entry => entry.Key);
    public IEnumerable<int> Values => this.Select(entry => entry.Value);

    public bool ContainsKey(string key) => true;

    public bool TryGetValue(string key, out int value)
    {
        value = 1;
        return true;
    }

    public IEnumerator<KeyValuePair<string, int>> GetEnumerator()
    {
        yield return new KeyValuePair<string, int>("a", 1);
        yield return new KeyValuePair<string, int>("b", 2);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>The same key twice.</summary>
internal sealed class Pairs : List<KeyValuePair<string, int>>, IReadOnlyDictionary<string, int>
{
    internal Pairs()
    {
        Add(new KeyValuePair<string, int>("a", 1));
        Add(new KeyValuePair<string, int>("a", 2));
    }

    public int this[string key] => 1;
    public IEnumerable<string> Keys => this.Select(entry => entry.Key);
    public IEnumerable<int> Values => this.Select(entry => entry.Value);

    public bool ContainsKey(string key) => true;

    public bool TryGetValue(string key, out int value)
    {
        value = 1;
        return true;
    }
}

[Plugin("test.lazy@1")]
public sealed class Lazy
{
    public IReadOnlyDictionary<string, int> Map(string what)
    {
        switch (what)
        {
            case "fewer":
                return new Liar(1);
            case "more":
                return new Liar(3);
            case "negative":
                return new Liar(-1);
            case "twice":
                return new Pairs();
            default:
                return new Liar(2);
        }
    }

    public IEnumerable<string> List(string what)
    {
        yield return "a";
        if (what == "throws")
        {
            throw new InvalidOperationException("no more"); // here
        }
        if (what == "null")
        {
            yield return null;
        }
    }
}
