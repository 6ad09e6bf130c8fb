using System.Reflection;

[assembly: AssemblyVersion("2.0.0.0")]

/// <summary>A library in version 2.</summary>
public static class Versioned
{
    private static int calls;

    public static string Text() => "version 2, call " + ++calls;
}
