using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace Polyplug.Bridge
{
    /// <summary>The methods of a type that stand for the methods of a contract or object.</summary>
    internal static class MethodBinding
    {
        private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;

        /// <summary>Returns the methods of a type that may be called from outside, without those that every object has.</summary>
        internal static IEnumerable<MethodInfo> MethodsOf(Type type)
        {
            IEnumerable<Type> types = type.IsInterface ? new[] { type }.Concat(type.GetInterfaces()) : new[] { type };
            return types.SelectMany(of => of.GetMethods(Public | BindingFlags.FlattenHierarchy))
                .Where(method => method.DeclaringType != typeof(object) && !method.IsGenericMethodDefinition);
        }

        /// <summary>Returns the names of the methods of a class that are not public, also of those that implement an interface
        /// explicitly.</summary>
        internal static IEnumerable<string> HiddenOf(Type type)
        {
            return type.GetMethods(BindingFlags.NonPublic | BindingFlags.Instance)
                .Where(method => method.DeclaringType != typeof(object))
                .Select(method => method.Name.Substring(method.Name.LastIndexOf('.') + 1));
        }

        /// <summary>Returns whether a method is named after the contract's.</summary>
        internal static bool IsNamed(MethodInfo method, string name)
        {
            return method.Name == name
                || (method.Name == name + "Async" && Waiting.ValueOf(method.ReturnType) != null);
        }

        /// <summary>Returns the name that a method has for the contract.</summary>
        internal static string NameOf(MethodInfo method)
        {
            const string Async = "Async";
            bool isAsync = Waiting.ValueOf(method.ReturnType) != null
                && method.Name.EndsWith(Async, StringComparison.Ordinal) && method.Name.Length > Async.Length;
            return isAsync ? method.Name.Substring(0, method.Name.Length - Async.Length) : method.Name;
        }

        /// <summary>Binds each method of a contract to a method of a type.</summary>
        /// <exception cref="MismatchException">Methods are missing, or their signatures differ.</exception>
        internal static T[] Bind<T>(Type type, Method[] methods, Func<Method, MethodInfo, T> bind)
        {
            MethodInfo[] all = MethodsOf(type).ToArray();
            var bound = new T[methods.Length];
            var reasons = new List<string>();
            for (int i = 0; i < methods.Length; i++)
            {
                try
                {
                    bound[i] = BindOne(type, all, methods[i], bind);
                }
                catch (MismatchException wrong)
                {
                    reasons.Add(wrong.Message);
                }
            }
            return reasons.Count == 0 ? bound : throw new MismatchException(string.Join("\n", reasons));
        }

        private static T BindOne<T>(Type type, MethodInfo[] all, Method method, Func<Method, MethodInfo, T> bind)
        {
            string name = method.CSharpName;
            MethodInfo[] named = all.Where(of => IsNamed(of, name)).ToArray();
            // A method that hides one of a base class comes first.
            named = named.Where(of => !named.Any(other => other != of && Hides(other, of))).ToArray();
            if (named.Length == 0)
            {
                throw new MismatchException("`" + TypeNames.Of(type) + "` has no public method `" + method.CSharp() + "`");
            }
            var bound = new List<T>();
            var reasons = new List<string>();
            foreach (MethodInfo candidate in named)
            {
                try
                {
                    bound.Add(bind(method, candidate));
                }
                catch (MismatchException wrong)
                {
                    reasons.Add(Differ(type, method, candidate, wrong.Message));
                }
            }
            if (bound.Count == 1)
            {
                return bound[0];
            }
            throw new MismatchException(bound.Count == 0 ? string.Join("\n", reasons)
                : "`" + TypeNames.Of(type) + "` has " + bound.Count + " methods `" + name
                    + "` that all match the contract's `" + method.Describe() + "`: rename all but one");
        }

        private static bool Hides(MethodInfo method, MethodInfo other)
        {
            return method.DeclaringType != other.DeclaringType && method.DeclaringType.IsSubclassOf(other.DeclaringType)
                && method.GetParameters().Select(of => of.ParameterType)
                    .SequenceEqual(other.GetParameters().Select(of => of.ParameterType));
        }

        private static string Differ(Type type, Method method, MethodInfo candidate, string reason)
        {
            Type result = candidate.ReturnType;
            if (result.IsGenericType && result.GetGenericTypeDefinition() == typeof(Result<,>))
            {
                reason = "it returns a `Result`, where a method returns the value and throws the error, as a `DeclaredException`";
            }
            return "`" + TypeNames.Of(type) + "." + candidate.Name + "` differs from the contract: " + reason
                + "\n  in C#:           " + TypeNames.Of(candidate)
                + "\n  in the contract: " + method.Describe()
                + "\n  expected in C#:  " + method.CSharp();
        }
    }
}
