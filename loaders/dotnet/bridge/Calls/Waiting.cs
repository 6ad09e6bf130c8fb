using System;
using System.Threading;
using System.Threading.Tasks;

namespace Polyplug.Bridge
{
    /// <summary>Results that are there later: waits for them. Called by compiled code.</summary>
    internal static class Waiting
    {
        /// <summary>Returns the type of the value that a task gives, <c>void</c> if it gives none, or null if the type is no task.</summary>
        internal static Type ValueOf(Type type)
        {
            if (type == typeof(Task) || type == typeof(ValueTask))
            {
                return typeof(void);
            }
            if (!type.IsGenericType)
            {
                return null;
            }
            Type generic = type.GetGenericTypeDefinition();
            return generic == typeof(Task<>) || generic == typeof(ValueTask<>) ? type.GetGenericArguments()[0] : null;
        }

        internal static void Wait(Task task)
        {
            Check(task).GetAwaiter().GetResult();
        }

        internal static T WaitFor<T>(Task<T> task)
        {
            return ((Task<T>)Check(task)).GetAwaiter().GetResult();
        }

        internal static void WaitValue(ValueTask task)
        {
            if (task.IsCompleted)
            {
                task.GetAwaiter().GetResult();
                return;
            }
            task.AsTask().GetAwaiter().GetResult();
        }

        internal static T WaitForValue<T>(ValueTask<T> task)
        {
            return task.IsCompleted ? task.Result : task.AsTask().GetAwaiter().GetResult();
        }

        private static Task Check(Task task)
        {
            return task ?? throw new InvalidOperationException("the method returned null, where a task was expected");
        }
    }

    /// <summary>The time of a call for which the thread has no synchronisation context.</summary>
    /// <remarks>
    /// The thread waits for the task. A context that runs continuations on this thread would wait for the thread in turn.
    /// </remarks>
    internal struct WithoutContext
    {
        private SynchronizationContext previous;

        internal static WithoutContext Begin()
        {
            var begun = new WithoutContext { previous = SynchronizationContext.Current };
            if (begun.previous != null)
            {
                SynchronizationContext.SetSynchronizationContext(null);
            }
            return begun;
        }

        internal void End()
        {
            if (previous != null || SynchronizationContext.Current != null)
            {
                SynchronizationContext.SetSynchronizationContext(previous);
            }
        }
    }
}
