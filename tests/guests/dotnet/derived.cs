// A plugin whose base class, and with it a method of the contract, is in another assembly.
// reference: lib/Base.dll
using Polyplug;

[Plugin("test.script@1")]
public sealed class Script : Base
{
}
