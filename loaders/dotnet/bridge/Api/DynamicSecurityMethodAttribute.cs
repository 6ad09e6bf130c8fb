// The attribute with which the framework marks its own methods that look for their caller on the stack. A compiler makes
// a flag of it, because of which no caller gives its frame up to the method, as it may to what it calls last.

namespace System.Security
{
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class DynamicSecurityMethodAttribute : Attribute
    {
    }
}
