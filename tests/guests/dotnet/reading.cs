// Reads its settings as it starts.
using System;
using System.Collections.Generic;
using System.Linq;
using Polyplug;

[Plugin("test.reading@1")]
public sealed class Reading
{
    private readonly IReadOnlyDictionary<string, object> config;
    private readonly string bundle;

    public Reading(PluginContext context)
    {
        config = context.Config;
        bundle = context.Bundle;
        if (Title() == "")
        {
            throw new ArgumentException("a title is needed");
        }
    }

    public string Title() => (string)config["title"];

    public (long, double) Limits()
    {
        var limits = (IReadOnlyDictionary<string, object>)config["limits"];
        return ((long)limits["lines"], (double)limits["share"]);
    }

    public IEnumerable<string> Words() => ((IReadOnlyList<object>)config["words"]).Cast<string>();

    public bool Verbose() => config.TryGetValue("verbose", out object verbose) && (bool)verbose;

    public string Bundle() => bundle;
}
