/// <summary>A base class for plugins in other assemblies.</summary>
public abstract class Base
{
    public string Run(string code) => "base " + code;
}
