// reference: lib/Names.dll
/// <summary>A library, which uses another one.</summary>
public static class Words
{
    public static string Greet(string name) => "Hello, " + Names.Polite(name) + "!";
}
