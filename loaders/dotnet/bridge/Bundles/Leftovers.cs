using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;
using System.Threading;
using System.Threading.Tasks;

namespace Polyplug.Bridge
{
    /// <summary>Finds what keeps the code of a version that has ended: event handlers and timers of the framework.</summary>
    /// <remarks>
    /// The framework has no public list of either. The fields that are read here have had these names since .NET Core 3.1; one
    /// that a later version does not have is passed over.
    /// </remarks>
    internal sealed class Leftovers
    {
        private const BindingFlags Fields =
            BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

        /// <summary>The number of objects that a callback is followed through.</summary>
        private const int Steps = 6;

        private readonly AssemblyLoadContext context;
        private readonly List<string> found = new List<string>();

        private Leftovers(AssemblyLoadContext context)
        {
            this.context = context;
        }

        /// <summary>Returns what keeps the code of a context, as far as it can be told.</summary>
        internal static string Describe(WeakReference context)
        {
            if (!(context.Target is AssemblyLoadContext kept))
            {
                return "";
            }
            var leftovers = new Leftovers(kept);
            leftovers.Events();
            leftovers.Timers();
            string[] all = leftovers.found.Distinct().ToArray();
            return all.Length > 0
                ? "its code is kept by " + string.Join(", ", all)
                : "its code is kept by something that .NET does not tell of: a thread that still runs, a task that does not end, "
                    + "a `GCHandle`, a `ThreadLocal` or `AsyncLocal` that was set on a thread of the host's, or a static field of "
                    + "an assembly that is not the bundle's";
        }

        private void Events()
        {
            Event(typeof(AppContext), null, "AppDomain.ProcessExit", "ProcessExit", "s_processExit");
            Event(typeof(AppContext), null, "AppDomain.UnhandledException", "UnhandledException");
            Event(typeof(AppContext), null, "AppDomain.FirstChanceException", "FirstChanceException");
            Event(typeof(AppDomain), AppDomain.CurrentDomain, "AppDomain.ProcessExit", "_processExit", "ProcessExit");
            Event(typeof(AppDomain), AppDomain.CurrentDomain, "AppDomain.DomainUnload", "_domainUnload", "DomainUnload");
            foreach (string name in new[] { "AssemblyLoad", "AssemblyResolve", "TypeResolve", "ResourceResolve" })
            {
                Event(typeof(AssemblyLoadContext), null, "AppDomain." + name, name);
            }
            AssemblyLoadContext shared = AssemblyLoadContext.Default;
            Event(typeof(AssemblyLoadContext), shared, "AssemblyLoadContext.Default.Resolving", "_resolving");
            Event(typeof(AssemblyLoadContext), shared, "AssemblyLoadContext.Default.Unloading", "_unloading");
            Event(typeof(TaskScheduler), null, "TaskScheduler.UnobservedTaskException", "UnobservedTaskException",
                "_unobservedTaskException");
            Event(typeof(Console), null, "Console.CancelKeyPress", "s_cancelCallbacks", "_cancelCallbacks");
        }

        /// <summary>Looks for handlers of the context's code in the field of an event.</summary>
        private void Event(Type type, object instance, string name, params string[] fields)
        {
            try
            {
                object value = fields.Select(field => type.GetField(field, Fields)).FirstOrDefault(field => field != null)
                    ?.GetValue(instance);
                foreach (Delegate handler in (value as Delegate)?.GetInvocationList() ?? Array.Empty<Delegate>())
                {
                    if (Holder(handler) != null)
                    {
                        found.Add("a handler of `" + name + "`, `" + NameOf(handler.Method) + "`");
                    }
                }
            }
            catch (Exception)
            {
                // The field is none of this version's. The other fields may still tell.
            }
        }

        private void Timers()
        {
            try
            {
                Type queue = typeof(Timer).Assembly.GetType("System.Threading.TimerQueue");
                object instances = queue?.GetProperty("Instances", Fields)?.GetValue(null);
                foreach (object of in (instances as Array)?.Cast<object>() ?? Enumerable.Empty<object>())
                {
                    lock (of)
                    {
                        TimersOf(of, "m_shortTimers", "_shortTimers");
                        TimersOf(of, "m_longTimers", "_longTimers");
                    }
                }
            }
            catch (Exception)
            {
                // This version keeps its timers elsewhere.
            }
        }

        private void TimersOf(object queue, params string[] lists)
        {
            for (object timer = Field(queue, lists); timer != null; timer = Field(timer, "m_next", "_next"))
            {
                var callback = Field(timer, "m_timerCallback", "_timerCallback") as Delegate;
                string holder = Holder(callback) ?? Holder(Field(timer, "m_state", "_state"));
                if (holder != null)
                {
                    found.Add("a timer that calls `" + holder + "`");
                }
            }
        }

        private static object Field(object instance, params string[] names)
        {
            for (Type type = instance?.GetType(); type != null; type = type.BaseType)
            {
                FieldInfo field = names.Select(name => type.GetField(name, Fields)).FirstOrDefault(of => of != null);
                if (field != null)
                {
                    return field.GetValue(instance);
                }
            }
            return null;
        }

        /// <summary>Returns the name of the context's code that an object leads to, or null if the object leads to none.</summary>
        private string Holder(object value, int steps = Steps)
        {
            if (value == null || steps == 0)
            {
                return null;
            }
            if (value is Delegate callback)
            {
                return Has(callback.Method.DeclaringType) ? NameOf(callback.Method) : Holder(callback.Target, steps - 1);
            }
            if (value is Task task)
            {
                return Named(value.GetType()) ?? Holder(Field(task, "m_continuationObject"), steps - 1);
            }
            return Named(value.GetType())
                ?? Holder(Field(value, "m_action", "_callback", "m_callback", "_continuation"), steps - 1);
        }

        /// <summary>Returns the name of a type of the context, or of the context's type that a generic type is made of.</summary>
        private string Named(Type type)
        {
            if (Has(type))
            {
                return TypeNames.Of(Outermost(type));
            }
            return type.IsGenericType ? type.GetGenericArguments().Select(Named).FirstOrDefault(name => name != null) : null;
        }

        private bool Has(Type type)
        {
            return type != null && !type.Assembly.IsDynamic && AssemblyLoadContext.GetLoadContext(type.Assembly) == context;
        }

        private static string NameOf(MethodInfo method)
        {
            // A lambda is a method of a class that the compiler has made.
            return method.Name.StartsWith("<", StringComparison.Ordinal) || method.DeclaringType.Name.StartsWith("<", StringComparison.Ordinal)
                ? TypeNames.Of(Outermost(method.DeclaringType))
                : TypeNames.Of(method.DeclaringType) + "." + method.Name;
        }

        private static Type Outermost(Type type)
        {
            while (type.Name.StartsWith("<", StringComparison.Ordinal) && type.DeclaringType != null)
            {
                type = type.DeclaringType;
            }
            return type;
        }
    }
}
