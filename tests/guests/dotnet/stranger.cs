// Is for a contract that nobody knows.
using Polyplug;

[Plugin("test.nobody@1")]
public sealed class Stranger
{
    public int Add(int a, int b) => a + b;
}
