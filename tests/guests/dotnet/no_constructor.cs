// A plugin that cannot be made.
using Polyplug;

[Plugin("test.script@1")]
public sealed class Script
{
    public Script(string text)
    {
    }

    internal Script()
    {
    }

    public string Run(string code) => code;
}
