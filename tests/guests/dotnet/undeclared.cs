// Throws a declared error where the contract declares none.
using Polyplug;

[Plugin("test.script@1")]
public sealed class Script
{
    public string Run(string code) => throw new DeclaredException<string>("no " + code);
}
