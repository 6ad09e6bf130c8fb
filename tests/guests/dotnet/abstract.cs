// A plugin that cannot be made, either.
using Polyplug;

[Plugin("test.script@1")]
public abstract class Script
{
    public abstract string Run(string code);
}
