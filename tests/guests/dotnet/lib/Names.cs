/// <summary>A library that another one uses.</summary>
public static class Names
{
    public static string Polite(string name) => "dear " + name;
}
