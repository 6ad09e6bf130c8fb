using System;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security;
using Polyplug.Bridge;

namespace Polyplug
{
    /// <summary>The host's log. Messages name the bundle whose code writes them.</summary>
    [NullableContext(1)]
    public static class Log
    {
        /// <summary>Writes that something failed.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        [DynamicSecurityMethod]
        public static void Error(string message)
        {
            Bundle.Log(Assembly.GetCallingAssembly(), LogLevel.Error, message);
        }

        /// <summary>Writes that something may be wrong.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        [DynamicSecurityMethod]
        public static void Warn(string message)
        {
            Bundle.Log(Assembly.GetCallingAssembly(), LogLevel.Warn, message);
        }

        /// <summary>Writes something that an operator may want to know.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        [DynamicSecurityMethod]
        public static void Info(string message)
        {
            Bundle.Log(Assembly.GetCallingAssembly(), LogLevel.Info, message);
        }

        /// <summary>Writes something that helps to find a fault.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        [DynamicSecurityMethod]
        public static void Debug(string message)
        {
            Bundle.Log(Assembly.GetCallingAssembly(), LogLevel.Debug, message);
        }

        /// <summary>Writes a step of the work.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        [DynamicSecurityMethod]
        public static void Trace(string message)
        {
            Bundle.Log(Assembly.GetCallingAssembly(), LogLevel.Trace, message);
        }
    }
}
