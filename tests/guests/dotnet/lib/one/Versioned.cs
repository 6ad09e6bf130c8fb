using System.Reflection;

[assembly: AssemblyVersion("1.0.0.0")]

/// <summary>A library in version 1.</summary>
public static class Versioned
{
    private static int calls;

    public static string Text() => "version 1, call " + ++calls;
}
