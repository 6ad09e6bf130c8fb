using System;

namespace Polyplug.Bridge
{
    /// <summary>What keeps the code of a version that has ended.</summary>
    internal static class Leftovers
    {
        internal static string Describe(WeakReference context)
        {
            return "";
        }
    }
}
